"""Rows weighted by dot products alone: Y = X X^T X (paper III-C4), by its definition."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mercuric import Alike
from mercuric.reuse import reuse_, reuse_attention
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.similarity import MCache, random_projection
from mercuric.similarity.rpq import reference_signatures

BITS = 4


def state(**config: Any) -> AlikeLayer:
    fields = {"bits": BITS, "magnitude": None, "attention": "product", "adaptation": None, **config}
    return AlikeLayer("attention", config=Alike(**fields), kind="attention")


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 3), st.integers(1, 8), st.integers(1, 5), st.booleans(), st.integers(0, 99))
def test_rows_and_gradients(scopes: int, length: int, features: int, causal: bool, seed: int) -> None:
    """Against float64's autograd of X X^T X, each row that of the first alike x."""
    torch.manual_seed(seed)
    x = torch.randint(-2, 3, (scopes, length, features)).float()
    given_, same = x.clone().requires_grad_(), x.double().requires_grad_()
    found, _ = reuse_attention(given_, given_, given_, state(), is_causal=causal)
    signatures = reference_signatures(x, random_projection(features, BITS, 0))
    index = MCache().reference_access(signatures).representatives
    if causal:  # every row has a mask of its own
        index = torch.arange(length).expand(scopes, length)
    queries = same.gather(1, index[..., None].expand_as(same))
    weights = queries @ same.transpose(1, 2)
    expected = (weights.tril() if causal else weights) @ same
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)
    gradient = torch.randn_like(found)
    found.backward(gradient)
    expected.backward(gradient.double())
    assert given_.grad is not None and same.grad is not None
    torch.testing.assert_close(given_.grad.double(), same.grad, rtol=1e-4, atol=1e-4)


def test_by_hand() -> None:
    x = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    rows, weights = reuse_attention(x, x, x, state(bits=64), need_weights=True)
    assert weights is not None
    assert weights.tolist() == [[1, 0], [0, 4]]
    assert rows.tolist() == [[1, 0], [0, 8]]


@pytest.mark.parametrize("floating", [False, True])
def test_what_is_masked_weighs_nothing(floating: bool) -> None:
    x = torch.ones(3, 2)
    mask: Tensor = torch.tensor([True, False, True])
    if floating:
        mask = torch.zeros(3).masked_fill(~mask, -torch.inf)
    rows, _ = reuse_attention(x, x, x, state(), attn_mask=mask)
    assert rows.tolist() == [[4.0, 4.0]] * 3


class Attending(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(x, x, x)


@pytest.mark.parametrize("on", [True, False])
def test_a_module_has_none_on_or_off(on: bool) -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 5, 4)
    model = nn.Sequential(Attending())
    handle = reuse_(model, Alike(bits=64, attention="product", adaptation=None))
    if not on:
        next(iter(handle.layers.values())).on = False
    torch.testing.assert_close(model(x), x @ x.transpose(1, 2) @ x)


def test_another_word_is_refused() -> None:
    with pytest.raises(ValueError, match="attention"):
        Alike(attention="linear")
