"""Does the fast way of whole patches equal the definition, forward and backward, on every shape?"""

from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.autograd import gradcheck
from torch.func import functional_call

from mercuric import Alike, ReuseConfig, restore_, reuse_
from mercuric.reuse import Observation, ReuseConv2d, ReuseLinear, row_products
from mercuric.reuse.alike import convolution, linear
from mercuric.reuse.alike import patches as patch_reuse
from mercuric.reuse.alike.kernels import patch_product

CHANNELS_LAST = torch.channels_last


def config(bits: int = 5, **others: Any) -> ReuseConfig:
    fields = {"granularity": "patch", "magnitude": None, "entries": None, "projection": "separable"}
    return ReuseConfig(bits=bits, **{**fields, **others})


def outcome(layer: nn.Module, inputs: Tensor, slow: bool) -> tuple[list[Tensor], list[Observation]]:
    """Output, gradients and what observers were told, the fast way or the general one."""
    seen: list[Observation] = []
    layer.reuse.observers[:] = [seen.append]
    with pytest.MonkeyPatch.context() as patch:
        if slow:
            for module in (convolution, linear):
                patch.setattr(module, "reuses_patches", lambda *_: False)
            patch.setattr(patch_reuse, "find_patches", None)
        tracked = inputs.detach().clone(memory_format=torch.preserve_format).requires_grad_()
        output = layer(tracked)
        upstream = torch.linspace(-1, 2, output.numel(), dtype=output.dtype).view(output.shape)
        gradients = torch.autograd.grad(output, [tracked, *layer.parameters()], upstream)
    return [output, *gradients], seen


def agree_both_ways(layer: nn.Module, inputs: Tensor, tolerance: float = 1e-9) -> Observation:
    (found, seen), (expected, told) = outcome(layer, inputs, slow=False), outcome(layer, inputs, slow=True)
    for tensor, other in zip(found, expected, strict=True):
        torch.testing.assert_close(tensor, other, rtol=tolerance, atol=tolerance)
    assert (seen[0].shape, seen[0].bits) == (told[0].shape, told[0].bits)
    for name in ("signatures", "zero"):
        assert torch.equal(getattr(seen[0], name), getattr(told[0], name)), name
    assert torch.equal(seen[0].hitmap.states, told[0].hitmap.states)
    assert torch.equal(seen[0].hitmap.representatives, told[0].hitmap.representatives)
    assert found[0].stride() == expected[0].stride()
    return seen[0]


@st.composite
def convolutions(draw: st.DrawFn) -> dict[str, Any]:
    stride, padding = draw(st.sampled_from([1, 2, (1, 3)])), draw(st.sampled_from([0, 1, (0, 4), "same"]))
    assume(padding != "same" or stride == 1)
    return {
        "in_channels": draw(st.sampled_from([1, 2, 7])),
        "out_channels": draw(st.sampled_from([1, 3])),
        "kernel_size": draw(st.sampled_from([(1, 1), (3, 3), (3, 3), (1, 3), (5, 2)])),
        "stride": stride,
        "dilation": draw(st.sampled_from([1, 2])),
        "padding": padding,
        "padding_mode": draw(st.sampled_from(["zeros", "zeros", "reflect", "circular"])),
        "bias": draw(st.booleans()),
    }


@settings(max_examples=120, deadline=None)
@given(
    convolutions(), st.integers(1, 3), st.sampled_from([(9, 9), (10, 41)]),
    st.sampled_from(["image", "batch"]), st.sampled_from([3, 5, 70]), st.booleans(),
    st.sampled_from([1, 900, 1 << 22]), st.integers(0, 99),
)  # fmt: skip
def test_convolutions(
    options: dict[str, Any], images: int, sides: tuple[int, int], scope: Any, bits: int, channels_last: bool,
    scratch: int, seed: int,
) -> None:  # fmt: skip
    torch.manual_seed(seed)
    layer = ReuseConv2d(**options, reuse=config(bits, scope=scope)).double()
    inputs = torch.randn(images, options["in_channels"], *sides, dtype=torch.float64).relu()
    inputs[..., :4] = 0  # whole windows of zeros
    if channels_last:
        inputs = inputs.contiguous(memory_format=CHANNELS_LAST)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patch_product, "SCRATCH_ELEMENTS", scratch)
        agree_both_ways(layer, inputs)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 9), max_size=3), st.integers(1, 41), st.integers(1, 5), st.booleans(),
    st.sampled_from(["image", "batch"]),
)  # fmt: skip
def test_fully_connected_layers(
    batch: list[int], features: int, outputs: int, bias: bool, scope: Any
) -> None:
    layer = ReuseLinear(features, outputs, bias=bias, reuse=config(3, scope=scope)).double()
    agree_both_ways(layer, torch.randn(*batch, features, dtype=torch.float64))


@pytest.mark.parametrize("threads", [1, 6])
def test_photographs(threads: int, photographs: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    layer = ReuseConv2d(3, 4, 3, padding=1, reuse=config(20)).double()
    seen = agree_both_ways(layer, photographs.double().contiguous(memory_format=CHANNELS_LAST))
    assert 0.3 < seen.hitmap.hits.double().mean() < 1


@pytest.mark.parametrize("rows", [1, 15, 16, 17, 100])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_row_products(rows: int, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    left, right, bias = (torch.randn(size, generator=generator) for size in ((rows, 7), (5, 7), 5))
    values = [tensor.to(dtype) for tensor in (left, right, bias)]
    exact = [tensor.double() for tensor in values]
    tolerance = 2e-2 if dtype == torch.bfloat16 else 1e-5
    product = row_products.multiply(*values)
    assert product.dtype == dtype
    expected = exact[0] @ exact[1].T + exact[2]
    torch.testing.assert_close(product.double(), expected, rtol=tolerance, atol=tolerance)
    outer = row_products.add_up_outer(product, values[0])
    expected = product.double().T @ exact[0]
    torch.testing.assert_close(outer.double(), expected, rtol=tolerance, atol=10 * tolerance)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 4e-2), (torch.float16, 4e-3)]
)
def test_precisions(dtype: torch.dtype, tolerance: float) -> None:
    """Two equal images in one scope: the second is handed the first one's results, rounded as dense ones."""
    layer = ReuseConv2d(3, 8, 3, padding=1, reuse=config(128, scope="batch")).to(dtype)
    noise = torch.randn(2, 3, 16, 17, generator=torch.Generator().manual_seed(1)).to(dtype)
    inputs = noise.repeat(2, 1, 1, 1).contiguous(memory_format=CHANNELS_LAST).requires_grad_()
    output = layer(inputs)
    upstream = torch.randn(output.shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    found = [output, *torch.autograd.grad(output, [inputs, *layer.parameters()], upstream)]
    assert {tensor.dtype for tensor in found} == {dtype}
    dense = nn.Conv2d(3, 8, 3, padding=1).double()
    dense.load_state_dict(layer.state_dict())
    exact = inputs.detach().double().requires_grad_()
    result = dense(exact)
    expected = [result, *torch.autograd.grad(result, [exact, *dense.parameters()], upstream.double())]
    expected[1] = torch.cat([expected[1][:2] + expected[1][2:], torch.zeros_like(expected[1][2:])])
    assert layer.reuse.counts.hit >= layer.reuse.counts.vectors // 2
    for tensor, other in zip(found, expected, strict=True):
        assert (tensor.double() - other).norm() < tolerance * other.norm()


def test_the_gradient_is_that_of_what_was_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    find, held = patch_reuse.find_patches, []

    def find_once(*arguments: Any) -> Any:
        if not held:
            held.append(find(*arguments))
        return held[0]

    monkeypatch.setattr(patch_reuse, "find_patches", find_once)
    layer = ReuseConv2d(2, 3, (3, 2), stride=(1, 2), padding=1, reuse=config(3)).double()
    layer.reuse.counting = False
    names = [name for name, _ in layer.named_parameters()]
    values = [parameter.detach().clone().requires_grad_() for parameter in layer.parameters()]
    inputs = torch.randn(2, 2, 5, 6, dtype=torch.float64).requires_grad_()
    assert gradcheck(
        lambda x, *given: functional_call(layer, dict(zip(names, given, strict=True)), (x,)),
        (inputs, *values),
    )
    assert 0 < len(held[0].assignment.kept) < len(held[0].assignment.source)


def test_only_the_gradients_asked_for(photographs: Tensor) -> None:
    layer = ReuseConv2d(3, 4, 3, reuse=config(20))
    inputs = photographs.clone().requires_grad_()
    expected = torch.autograd.grad(layer(inputs).square().sum(), [inputs, *layer.parameters()])
    tracked = [inputs, *layer.parameters()]
    for missing in range(3):
        for index, tensor in enumerate(tracked):
            tensor.grad = None
            tensor.requires_grad_(index != missing)
        layer(inputs).square().sum().backward()
        for index, tensor in enumerate(tracked):
            assert (tensor.grad is None) == (index == missing)
            if tensor.grad is not None:
                torch.testing.assert_close(tensor.grad, expected[index])


@pytest.mark.parametrize("kind", ["conv", "linear"])
def test_an_activation_may_work_in_place(kind: str, photographs: Tensor) -> None:
    layer = ReuseConv2d(3, 4, 3, reuse=config()) if kind == "conv" else ReuseLinear(32, 4, reuse=config())
    nn.Sequential(layer, nn.ReLU(inplace=True))(photographs.clone().requires_grad_()).sum().backward()
    assert layer.weight.grad is not None


@pytest.mark.parametrize(
    ("options", "shape"), [({"entries": 64}, {}), ({}, {"groups": 2}), ({"backward": "signature"}, {})]
)
def test_other_layers_take_the_general_way(
    options: dict[str, Any], shape: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patch_reuse, "reuse_patches", None)
    layer = ReuseConv2d(4, 6, 3, **shape, reuse=config(4, **options)).double()
    inputs = torch.randn(2, 4, 9, 9, dtype=torch.float64).requires_grad_()
    layer(inputs).sum().backward()
    assert 0 < layer.reuse.counts.hit < layer.reuse.counts.vectors


def test_bits_may_grow(photographs: Tensor) -> None:
    layer = ReuseConv2d(3, 4, 3, reuse=config(4))
    layer(photographs)
    before = layer.reuse.counts.hit
    layer.reuse.bits = 40
    layer(photographs)
    assert layer.reuse.counts.hit - before < before


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [((1, 3, 2, 8), "at least 3 x 3"), ((1, 2, 8, 8), "images, 3, height")],
)
def test_bad_inputs(shape: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ReuseConv2d(3, 4, 3, reuse=config())(torch.zeros(shape))


def test_autocast_multiplies_in_its_precision(photographs: Tensor) -> None:
    layer = ReuseConv2d(3, 4, 3, reuse=config(20))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inputs = photographs.clone().requires_grad_()
        output = layer(inputs)
        output.sum().backward()
    assert output.dtype == torch.bfloat16
    assert inputs.grad.dtype == layer.weight.grad.dtype == torch.float32


@pytest.mark.parametrize(
    ("others", "in_place"),
    [({}, True), ({"entries": 1024}, False), ({"backward": "signature"}, False)],
    ids=["unlimited", "limited", "gradients"],
)
def test_the_report_says_which_way_patches_went(others: dict[str, Any], in_place: bool) -> None:
    model = nn.Sequential(nn.Conv2d(4, 4, 3, groups=2), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(16, 3))
    handle = reuse_(model, config(**others))
    assert handle.report()["in_place"].tolist() == [None, None, None]
    model(torch.rand(1, 4, 6, 6))
    assert handle.report()["in_place"].tolist() == [False, in_place, in_place]
    restore_(model)
    assert "in_place" not in reuse_(model, Alike()).report()
