"""Fully connected layers that compare parts of their inputs (III-C3 read literally), by their definition."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mercuric import Alike
from mercuric.reuse import Observation, reuse_
from mercuric.similarity import MCache, random_projection
from mercuric.similarity.rpq import reference_signatures


def definition(x: Tensor, weight: Tensor, bias: Tensor, blocks: int, bits: int, seed: int) -> Tensor:
    """The sum over blocks of each representative's part times the block's weights."""
    length = x.shape[1] // blocks
    total = bias.expand(len(x), -1)
    for start in range(0, x.shape[1], length):
        part = x[:, start : start + length]
        found = reference_signatures(part.detach().float()[None], random_projection(length, bits, seed))
        same = MCache().reference_access(found).representatives[0]
        total = total + part[same] @ weight[:, start : start + length].T
    return total


@settings(deadline=None, max_examples=25)
@given(
    st.integers(1, 9),
    st.sampled_from([(1, 5), (2, 4), (3, 9), (4, 8)]),
    st.integers(1, 5),
    st.integers(0, 99),
)
def test_results_and_gradients(count: int, cut: tuple[int, int], filters: int, seed: int) -> None:
    """Against float64's autograd of the definition."""
    (blocks, features), bits = cut, 4
    torch.manual_seed(seed)
    layer = nn.Linear(features, filters)
    weight, bias = (p.detach().double().requires_grad_() for p in (layer.weight, layer.bias))
    x = torch.randint(-2, 3, (count, features)).float()
    same, given_ = x.double().requires_grad_(), x.clone().requires_grad_()
    expected = definition(same, weight, bias, blocks, bits, 0)
    model = nn.Sequential(layer)
    config: dict[str, Any] = {"magnitude": None, "adaptation": None, "weight_blocks": blocks}
    reuse_(model, Alike(bits=bits, **config))
    found = model(given_)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)
    gradient = torch.randn_like(found)
    found.backward(gradient)
    expected.backward(gradient.double())
    reused: Any = model[0]
    for one, other in ((given_, same), (reused.weight, weight), (reused.bias, bias)):
        assert one.grad is not None and other.grad is not None
        torch.testing.assert_close(one.grad.double(), other.grad, rtol=1e-5, atol=1e-5)


def test_parts_are_told_of() -> None:
    """Inputs that share one half are alike in this half alone; the gradient's vectors are cut as well."""
    model = nn.Sequential(nn.Linear(8, 6))
    handle = reuse_(model, Alike.paper(weight_blocks=2, adaptation=None))
    seen: list[Observation] = []
    handle.observe(seen.append)
    half, others = torch.randn(4), torch.randn(3, 4)
    x = torch.stack([torch.cat([half, other]) for other in others]).requires_grad_()
    model(x).square().sum().backward()
    forward, backward = seen
    assert (forward.shape.scopes, forward.shape.length, forward.shape.depth) == (2, 4, 2)
    assert forward.hitmap is not None
    assert forward.hitmap.hits.sum(1).tolist() == [2, 0]
    assert (backward.product, backward.shape.scopes, backward.shape.length) == ("input_gradient", 2, 3)


def test_separable_projections_have_no_blocks() -> None:
    with pytest.raises(ValueError, match="weight_blocks was 2, but must be 1 where"):
        Alike(projection="separable", granularity="patch", magnitude=None, weight_blocks=2)
    with pytest.raises(ValueError, match="weight_blocks"):
        Alike(weight_blocks=0)
