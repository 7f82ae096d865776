"""Is what PyTorch itself decides left to it: empty batches, dtypes that differ, layers that are off?"""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric import ArgumentError, ReuseConfig, reuse_, reuse_attention
from mercuric.reuse.alike.layer import AlikeLayer

FORMS = {
    "default": ReuseConfig(bits=128),
    "paper": ReuseConfig(bits=128, backward="signature"),
    "patches": ReuseConfig(bits=128, granularity="patch", entries=None),
    "separable": ReuseConfig(
        bits=128, granularity="patch", magnitude=None, entries=None, projection="separable"
    ),
    "fast": ReuseConfig.fast(),
}  # fmt: skip


class Own(nn.Module):
    """Attention of one's own."""

    def forward(self, query: Tensor, key: Tensor, value: Tensor | None = None, **options: Any) -> Tensor:
        return F.scaled_dot_product_attention(query, key, key if value is None else value, **options)


class Heads(nn.Module):
    """Multi-head attention of one tensor thrice."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.MultiheadAttention(6, 2, batch_first=True)

    def forward(self, words: Tensor, other: Tensor | None = None) -> Tensor:
        other = words if other is None else other
        output: Tensor = self.heads(words, other, other, need_weights=False)[0]
        return output


def built(kind: str) -> nn.Module:
    torch.manual_seed(0)
    return {
        "conv": lambda: nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, stride=2), nn.Tanh(), nn.Conv2d(4, 2, 1)),
        "linear": lambda: nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 2)),
        "heads": lambda: Heads(),
        "own": lambda: nn.Sequential(nn.Linear(6, 6), nn.ModuleList([Own()])),
    }[kind]()  # fmt: skip


def outcome(model: nn.Module, *inputs: Tensor) -> Any:
    """Output and gradients, or the error's type and words."""
    tracked = [x.clone().requires_grad_() if x.is_floating_point() else x for x in inputs]
    try:
        output = model(*tracked)
        leaves = [x for x in [*tracked, *model.parameters()] if x.requires_grad]
        gradients = torch.autograd.grad(output.sum(), leaves, allow_unused=True)
    except Exception as error:
        return type(error), str(error)
    return output.detach(), *gradients


def agree(found: Any, expected: Any) -> None:
    if isinstance(expected[0], type):
        assert found == expected
    else:
        torch.testing.assert_close(found, expected)


def switched(model: nn.Module, on: bool, config: ReuseConfig) -> nn.Module:
    reused = copy.deepcopy(model)
    handle = reuse_(reused, config)
    seen: list[object] = []
    handle.observe(seen.append)
    if not on:
        handle.switch_off()
    return reused


EMPTY = {
    "conv": [(0, 3, 8, 8), (2, 3, 0, 8), (0, 3, 2, 2), (0, 4, 8, 8), (3, 0, 8), (2, 0, 8, 8)],
    "linear": [(0, 6), (2, 0, 6), (0, 3, 6), (0,), (0, 5), (3, 0)],
    "heads": [(0, 5, 6), (2, 0, 6), (0, 6), (0, 5, 7)],
}


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", EMPTY)
def test_empty_batches_pass_through_with_gradients(kind: str, form: str, on: bool) -> None:
    dense = built(kind)
    if kind == "heads" and form == "fast":
        pytest.skip("principal directions are of convolutions and fully connected layers")
    reused = switched(dense, on, FORMS[form])
    for shape in EMPTY[kind]:
        expected, found = outcome(dense, torch.zeros(shape)), outcome(reused, torch.zeros(shape))
        if on and found[0] is ArgumentError:
            assert expected[0] is RuntimeError  # ours names the layer
        else:
            agree(found, expected)


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("form", [form for form in FORMS if form != "fast"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64, torch.int64, torch.bool, torch.complex64])
def test_dtypes_that_differ_raise_what_pytorch_raises(dtype: torch.dtype, form: str, on: bool) -> None:
    for kind, shape in {"conv": (2, 3, 5, 5), "linear": (7, 6), "heads": (2, 5, 6)}.items():
        dense = built(kind)
        inputs = torch.ones(shape).to(dtype)
        expected, found = outcome(dense, inputs), outcome(switched(dense, on, FORMS[form]), inputs)
        assert expected[0] is RuntimeError
        assert found[0] is RuntimeError
        assert kind == "heads" or found == expected


def test_autocast_takes_what_pytorch_takes() -> None:
    for kind, shape in {"conv": (2, 3, 5, 5), "linear": (7, 6)}.items():
        dense = built(kind)
        reused = switched(dense, True, FORMS["default"])
        for dtype in (torch.float32, torch.bfloat16, torch.float64, torch.int64, torch.complex64):
            inputs = torch.ones(shape).to(dtype)
            with torch.autocast("cpu", torch.bfloat16):
                expected, found = outcome(dense, inputs), outcome(reused, inputs)
            if isinstance(expected[0], type):
                assert found == expected
            else:
                assert found[0].dtype == expected[0].dtype
                torch.testing.assert_close(found[0], expected[0], rtol=0.02, atol=0.02)


def test_off_says_nothing_of_its_own() -> None:
    """Every wrong call then raises PyTorch's error."""
    wrong = {
        "conv": [(2, 4, 8, 8), (3, 8), (1, 1, 3, 8, 8), ()],
        "linear": [(2, 5), (), (3, 7)],
        "heads": [(5,), (2, 3, 5), (1, 2, 3, 6)],
    }
    for kind, shapes in wrong.items():
        dense = built(kind)
        reused = switched(dense, False, FORMS["default"])
        for shape in shapes:
            expected = outcome(dense, torch.ones(shape))
            assert isinstance(expected[0], type)
            agree(outcome(reused, torch.ones(shape)), expected)


@pytest.mark.filterwarnings("ignore:Complex modules are a new feature:UserWarning")
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
@pytest.mark.parametrize("made", ["complex", "real"])
@pytest.mark.parametrize("form", FORMS)
def test_complex_layers_are_refused_by_name(form: str, made: str, dtype: torch.dtype) -> None:
    layers: dict[tuple[int, ...], Callable[..., nn.Module]] = {
        (2, 3, 5, 5): lambda dtype=None: nn.Conv2d(3, 4, 3, dtype=dtype),
        (7, 5): lambda dtype=None: nn.Linear(5, 4, dtype=dtype),
        (2, 5, 6): lambda dtype=None: Heads().to(dtype),
    }
    for shape, build in list(layers.items())[: 2 if form == "fast" else 3]:
        model = nn.ModuleDict({"plain": nn.Linear(4, 4), "odd": build(dtype if made == "complex" else None)})
        handle = reuse_(model, FORMS[form])
        model["odd"].to(dtype)
        given = torch.ones(shape, dtype=dtype)
        sentence = rf"^layer 'odd.*' was of {dtype} numbers, but reuse compares real ones; leave it dense"
        with pytest.raises(ValueError, match=sentence):
            model["odd"](given)
        if shape != (2, 5, 6):  # PyTorch's own attention is of real numbers
            handle.switch_off()
            assert model["odd"](given).is_complex()


QUERY = (2, 4, 5, 8)
SHAPES = [
    (QUERY, (2, 1, 7, 8), (2, 1, 7, 8)), (QUERY, (1, 4, 7, 8), (2, 4, 7, 3)), (QUERY, (7, 8), (7, 8)),
    ((5, 8), (2, 4, 7, 8), (2, 4, 7, 8)), ((1, 4, 5, 8), (2, 1, 7, 8), (2, 4, 7, 8)),
    ((3, 1, 5, 8), (3, 2, 7, 8), (1, 1, 7, 8)),
]  # fmt: skip


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_keys_and_values_broadcast(shapes: tuple[tuple[int, ...], ...], on: bool) -> None:
    dense = Own()
    wrapped = switched(nn.ModuleList([dense]), on, FORMS["default"])
    operands = [noise(*shape, seed=seed) for seed, shape in enumerate(shapes)]
    expected, found = outcome(dense, *operands), outcome(wrapped[0], *operands)
    torch.testing.assert_close(found, expected)
    lead = torch.broadcast_shapes(*(shape[:-2] for shape in shapes))
    assert wrapped[0].reuse.counts.vectors == (5 * lead.numel() if on else 0)


@pytest.mark.parametrize("on", [True, False])
def test_alike_queries_share_rows_of_broadcasting_keys(on: bool) -> None:
    query = noise(2, 4, 3, 8).repeat_interleave(2, 2)
    wrapped = switched(nn.ModuleList([Own()]), on, FORMS["default"])
    key, mask = noise(2, 1, 7, 8, seed=1), noise(4, 1, 7, seed=2) > -1
    torch.testing.assert_close(wrapped[0](query, key, attn_mask=mask), Own()(query, key, attn_mask=mask))
    assert wrapped[0].reuse.counts.hit == (2 * 4 * 3 if on else 0)


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("heads", [(4, 2, 2), (4, 1, 1), (4, 4, 4), (6, 3, 2), (4, 3, 3), (4, 2, 3)], ids=str)
def test_grouped_queries(heads: tuple[int, int, int], on: bool) -> None:
    operands = [noise(2, count, 5, 8, seed=count) for count in heads]
    dense, wrapped = Own(), switched(nn.ModuleList([Own()]), on, FORMS["default"])

    def call(module: nn.Module) -> Callable[..., Tensor]:
        return lambda *values: module(*values, enable_gqa=True, is_causal=True)

    class Called(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.forward = call(inner)

    agree(outcome(Called(wrapped[0]), *operands), outcome(Called(dense), *operands))


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("scale", [0.0, 1.0, -0.5, None])
def test_scales(scale: float | None, on: bool) -> None:
    wrapped = switched(nn.ModuleList([Own()]), on, FORMS["default"])
    query, key = noise(2, 5, 8), noise(2, 7, 8, seed=1)
    torch.testing.assert_close(wrapped[0](query, key, scale=scale), Own()(query, key, scale=scale))
    state = AlikeLayer("a", FORMS["default"], "attention", on=on)
    output, weights = reuse_attention(query, key, key, state, scale=scale, need_weights=True)
    torch.testing.assert_close(output, Own()(query, key, scale=scale))
    torch.testing.assert_close(weights @ key, output)


@pytest.mark.parametrize("on", [True, False])
def test_attention_of_nothing_and_of_several_dtypes(on: bool) -> None:
    wrapped = switched(nn.ModuleList([Own()]), on, FORMS["default"])
    cases = [
        ((0, 5, 8), (0, 7, 8)), ((2, 0, 8), (2, 7, 8)), ((2, 3, 5, 8), (2, 3, 0, 8)), ((2, 5, 0), (2, 7, 0)),
    ]  # fmt: skip
    for query, key in cases:
        operands = noise(*query), noise(*key, seed=1)
        agree(outcome(wrapped[0], *operands), outcome(Own(), *operands))
    for dtype in (torch.float64, torch.int64, torch.bfloat16):
        operands = noise(2, 5, 8), torch.ones(2, 7, 8, dtype=dtype)
        agree(outcome(wrapped[0], *operands), outcome(Own(), *operands))
    same = [torch.ones(2, 5, 8, dtype=torch.int64)] * 2
    agree(outcome(wrapped[0], *same), outcome(Own(), *same))


def test_layers_that_are_off_tell_of_the_same_products() -> None:
    """What observers are told of a dense pass is what they are told of one with reuse."""
    model = built("heads")
    told = []
    for on in (True, False):
        reused = copy.deepcopy(model)
        handle = reuse_(reused, ReuseConfig(bits=8))
        if not on:
            handle.switch_off()
        seen: list[Any] = []
        handle.observe(seen.append)
        reused(noise(2, 5, 6))
        reused(noise(2, 5, 6), noise(2, 4, 6, seed=1))
        told.append([(one.layer, one.shape, one.kind, one.needs_input_gradient) for one in seen])
    assert told[0] == told[1]
    assert len(told[0]) == 3 + 4
