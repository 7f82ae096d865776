"""Does a vector that isn't finite keep to itself, in every form of reuse, as in the dense layer?"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mercuric import ReuseConfig, reuse_
from mercuric.reuse import Observation
from mercuric.similarity import HitState

NAN, INF = float("nan"), float("inf")
FORMS = {
    "default": ReuseConfig(bits=4),
    "paper": ReuseConfig(bits=4, magnitude=None, backward="signature"),
    "a small cache": ReuseConfig(bits=4, magnitude=0, entries=4, ways=2),
    "batch": ReuseConfig(bits=4, scope="batch", magnitude=None),
    "patches": ReuseConfig(bits=4, granularity="patch", magnitude=None, entries=None),
    "separable": ReuseConfig(
        bits=4, granularity="patch", magnitude=None, entries=None, projection="separable"
    ),
    "separable in a cache": ReuseConfig(
        bits=4, granularity="patch", magnitude=None, projection="separable"
    ),
}  # fmt: skip
LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "conv": (lambda: nn.Conv2d(2, 3, 3, padding=1), (2, 2, 6, 5)),
    "strided": (
        lambda: nn.Conv2d(2, 3, 2, stride=2, dilation=2, padding_mode="reflect", padding=1),
        (2, 2, 6, 5),
    ),
    "grouped": (lambda: nn.Conv2d(4, 4, 3, groups=2), (1, 4, 6, 5)),
    "pixels": (lambda: nn.Conv2d(3, 4, 1), (2, 3, 4, 4)),
    "rows": (lambda: nn.Linear(5, 3), (12, 5)),
    "sequences": (lambda: nn.Linear(5, 3), (3, 6, 5)),
}
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]


def not_finite(layer: nn.Module, inputs: Tensor) -> Tensor:
    """Which outputs aren't, densely."""
    with torch.no_grad():
        return ~layer(inputs.nan_to_num(NAN, NAN, NAN)).isfinite()


def check(seen: list[Observation], spoilt: int) -> None:
    for one in seen:
        assert one.hitmap is not None
        states, representatives = one.hitmap.states, one.hitmap.representatives
        if one.context is None:
            assert spoilt == 0
            continue
        alone = one.context < 0
        assert bool((states[alone] == HitState.MNU).all())
        reused = representatives[states == HitState.HIT.value]
        scopes = (states == HitState.HIT.value).nonzero()[:, 0]
        assert not bool(alone[scopes, reused].any())


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(sorted(FORMS)), st.sampled_from(sorted(LAYERS)), st.sampled_from(DTYPES),
    st.lists(st.sampled_from([NAN, INF, -INF]), max_size=4), st.randoms(use_true_random=False),
)  # fmt: skip
def test_outputs_are_not_finite_where_those_of_the_dense_layer_are_not(
    form: str, kind: str, dtype: torch.dtype, values: list[float], random: Any
) -> None:
    torch.manual_seed(0)
    build, shape = LAYERS[kind]
    layer = build().to(dtype)
    inputs = torch.randint(-1, 2, shape, generator=torch.Generator().manual_seed(random.randint(0, 99)))
    inputs = inputs.to(dtype)
    for value in values:
        inputs[tuple(random.randrange(size) for size in shape)] = value
    expected = not_finite(layer, inputs)
    model = nn.Sequential(layer)
    handle = reuse_(model, FORMS[form])
    seen: list[Observation] = []
    handle.observe(seen.append)
    output = model(inputs.requires_grad_())
    assert torch.equal(~output.detach().isfinite(), expected)
    check(seen, int(expected.sum()))


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("form", FORMS)
def test_nothing_but_nan_gives_nothing_but_nan(form: str, kind: str) -> None:
    torch.manual_seed(0)
    build, shape = LAYERS[kind]
    model = nn.Sequential(build())
    handle = reuse_(model, FORMS[form])
    assert bool(model(torch.full(shape, NAN)).isnan().all())
    assert handle.report()[["HIT", "MAU"]].sum().tolist() == [0, 0]


@pytest.mark.parametrize("scale", [1e19, 1e38, 1e-40])
@pytest.mark.parametrize("form", FORMS)
def test_huge_and_tiny_finite_numbers_are_compared_or_computed(form: str, scale: float) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(5, 3)
    inputs = torch.randn(4, 5).repeat(2, 1) * scale
    expected = layer(inputs).detach()
    model = nn.Sequential(layer)
    reuse_(model, FORMS[form].model_copy(update={"bits": 64}))
    torch.testing.assert_close(model(inputs).detach(), expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize("form", ["paper", "batch"])
def test_a_gradient_that_is_not_finite_keeps_to_itself(form: str) -> None:
    """Also where the Hitmap of the following layer, whose inputs were all alike, decides."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 3, 3, padding=1))
    dense = [torch.ones(1, 2, 6, 6, requires_grad=True), model]
    spoilt = torch.zeros(1, 3, 6, 6)
    spoilt[0, 1, 0, 0] = NAN
    expected = torch.autograd.grad(model(dense[0]), dense[0], spoilt)[0].isnan()
    reuse_(model, FORMS[form].model_copy(update={"backward": "signature"}))
    leaf = torch.ones(1, 2, 6, 6, requires_grad=True)
    found = torch.autograd.grad(model(leaf), leaf, spoilt)[0].isnan()
    assert torch.equal(found, expected)


def test_the_error_is_measured_on_what_is_finite() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(5, 3)
    inputs = torch.randn(40, 5)
    errors = []
    for rows in (inputs, torch.cat([inputs, torch.full((1, 5), NAN)])):
        model = nn.Sequential(layer)
        handle = reuse_(model, ReuseConfig(bits=2, magnitude=None))
        model(rows)
        errors.append(handle.layers["0"].error)
    assert errors[0] == pytest.approx(errors[1])
    assert errors[0] > 0.1


def test_attention_gives_nan_to_the_rows_of_queries_that_are_nan() -> None:
    class Own(nn.Module):
        def forward(self, query: Tensor, key: Tensor) -> Tensor:
            return nn.functional.scaled_dot_product_attention(query, key, key)

    query, key = torch.zeros(2, 3, 6, 4), torch.randn(2, 3, 5, 4)
    query[0, 1, 2:4], query[1, 0, 0, 1], key[1, 2, 3] = NAN, INF, NAN
    expected = Own()(query, key)
    for config in (ReuseConfig(), ReuseConfig.paper()):
        model = nn.ModuleList([Own()])
        handle = reuse_(model, config)
        torch.testing.assert_close(model[0](query, key), expected, equal_nan=True)
        assert handle.report()["MNU"].tolist() == [3]


def test_tensors_with_the_negative_bit() -> None:
    torch.manual_seed(0)
    for form, config in FORMS.items():
        for build, shape in LAYERS.values():
            layer = build()
            inputs = torch.randn(shape)
            view = torch._neg_view(inputs)
            assert view.is_neg()
            models = [nn.Sequential(layer) for _ in range(2)]
            outputs = []
            for model, given_ in zip(models, (-inputs, view), strict=True):
                reuse_(model, config)
                leaf = given_.detach().requires_grad_()
                output = model(leaf)
                (gradient,) = torch.autograd.grad(torch._neg_view(output).square().sum(), leaf)
                outputs.append((output.detach(), gradient))
            torch.testing.assert_close(outputs[0], outputs[1], msg=form)
    conjugate = torch.randn(4, 5, dtype=torch.complex64).conj().imag
    assert conjugate.is_neg()
    model = nn.Sequential(nn.Linear(5, 3))
    expected = model(conjugate)
    reuse_(model, ReuseConfig(bits=128))
    torch.testing.assert_close(model(conjugate), expected)
