"""Do alike queries share a row of attention, and nobody else?"""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.autograd import gradcheck

from mercuric import ReuseConfig, restore_, reuse_, reuse_attention
from mercuric.data import load
from mercuric.reuse import Observation
from mercuric.reuse.alike.attention import reference_attention
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.similarity import MCache, random_projection, signatures


def layer(bits: int = 4, **config: Any) -> AlikeLayer:
    return AlikeLayer("attention", ReuseConfig(**{"bits": bits, "magnitude": None, **config}), "attention")


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def patches_of_photographs() -> Tensor:
    """(7, 64, 48): the 4x4 patches of photographs as sequences of vectors."""
    images, _ = load("photos").test.batch(torch.arange(7))
    return F.unfold(images, 4, stride=4).transpose(1, 2)


def test_the_papers_form_on_photographs() -> None:
    """y = X X^T X: a patch takes the row of the first one with its signature (paper III-C4)."""
    x = patches_of_photographs()
    state = layer(bits=16)
    output, weights = reuse_attention(x, x, x, state)
    hitmap = MCache().reference_access(signatures(x, random_projection(48, 16)))
    expected = reference_attention(x, x, x, hitmap.representatives)
    torch.testing.assert_close(output, expected)
    assert weights is None
    assert state.counts.hit == hitmap.hits.sum() > 50
    assert state.counts.vectors == 7 * 64
    dense = F.scaled_dot_product_attention(x, x, x)
    assert state.error == pytest.approx(float((expected - dense).norm() / dense.norm()), rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 3), max_size=2), st.integers(1, 41), st.integers(1, 9), st.integers(1, 7),
    st.integers(1, 5), st.sampled_from(["none", "keys", "rows", "causal", "added"]), st.booleans(),
    st.integers(0, 9),
)  # fmt: skip
def test_by_definition(
    leading: list[int],
    rows: int,
    keys: int,
    length: int,
    values: int,
    masking: str,
    weighing: bool,
    seed: int,
) -> None:
    keys = rows if masking == "causal" else keys
    query, key = normal(*leading, rows, length, seed=seed), normal(*leading, keys, length, seed=1)
    value = normal(*leading, keys, values, seed=2)
    mask: Tensor | None = None
    if masking == "keys":
        mask = normal(*leading, 1, keys, seed=3) < 1
        mask[..., 0] = True
    if masking == "rows":
        mask = (torch.arange(rows)[:, None] // 3 + torch.arange(keys)) % 2 == 0
        mask[:, 0] = True
    if masking == "added":
        mask = torch.where(torch.arange(rows)[:, None] % 2 == 0, 0.0, normal(1, keys, seed=4))
    causal = torch.ones(rows, keys, dtype=torch.bool).tril() if masking == "causal" else None
    state = layer(bits=2, entries=8, ways=2)
    output, weights = reuse_attention(
        query, key, value, state, mask, is_causal=causal is not None, need_weights=weighing
    )
    shown = causal if causal is not None else mask
    source = representatives(query, shown, state)
    torch.testing.assert_close(output, reference_attention(query, key, value, source, shown))
    if weighing:
        identity = torch.eye(keys).expand(*leading, keys, keys)
        torch.testing.assert_close(weights, reference_attention(query, key, identity, source, shown))


def representatives(query: Tensor, mask: Tensor | None, state: AlikeLayer) -> Tensor:
    """Look-ups one after the other, a mask's row beside the signature."""
    vectors = query.reshape(-1, *query.shape[-2:])
    found = signatures(vectors, random_projection(query.shape[-1], state.bits))
    if mask is None or mask.shape[-2] == 1:
        return state.config.cache.reference_access(found).representatives
    texts = [str(row.tolist()) for row in mask]
    ids = torch.tensor([texts.index(text) for text in texts]).expand_as(found)
    return state.config.cache.reference_access(found, ids.contiguous()).representatives


def test_a_row_is_shared_only_under_the_same_mask() -> None:
    query = normal(1, 1, 8).expand(1, 6, 8)
    key, value = normal(1, 6, 8, seed=1), normal(1, 6, 3, seed=2)
    hits = {}
    halves = torch.arange(6)[:, None] // 3 == torch.arange(6) // 3
    for name, mask in {"none": None, "keys": halves[:1], "halves": halves}.items():
        state = layer(bits=20)
        output, _ = reuse_attention(query, key, value, state, mask)
        torch.testing.assert_close(output, F.scaled_dot_product_attention(query, key, value, mask))
        hits[name] = state.counts.hit
    assert hits == {"none": 5, "keys": 5, "halves": 4}
    causal = layer(bits=20)
    output, _ = reuse_attention(query, key, value, causal, is_causal=True)
    torch.testing.assert_close(output, F.scaled_dot_product_attention(query, key, value, is_causal=True))
    assert causal.counts.hit == 0


def test_gradients() -> None:
    """With the assignment held, the gradient is that of the rows that were really computed."""
    query, key = normal(2, 6, 3, dtype=torch.float64), normal(2, 5, 3, seed=1, dtype=torch.float64)
    value = normal(2, 5, 2, seed=2, dtype=torch.float64)
    state = layer(bits=1)
    operands = [operand.requires_grad_() for operand in (query, key, value)]
    assert gradcheck(lambda q, k, v: reuse_attention(q, k, v, state)[0], operands)
    assert 0 < state.counts.hit < state.counts.vectors
    source = representatives(query.detach(), None, state)
    found = torch.autograd.grad(reuse_attention(*operands, state)[0].square().sum(), operands)
    expected = torch.autograd.grad(reference_attention(*operands, source).square().sum(), operands)
    for gradient, other in zip(found, expected, strict=True):
        torch.testing.assert_close(gradient, other)


def test_alike_queries_share_what_dropout_drops() -> None:
    x = normal(1, 1, 4).expand(1, 9, 4)
    torch.manual_seed(0)
    for need_weights in (False, True):
        state = layer()
        output, weights = reuse_attention(
            x, x, normal(1, 9, 4), state, dropout_p=0.5, need_weights=need_weights
        )
        assert (output == output[:, :1]).all()
        assert state.counts.hit == 8
        if weights is not None:
            assert (weights == weights[:, :1]).all()
            assert (weights == 0).any()


def test_off() -> None:
    query, key, value = normal(2, 5, 4), normal(2, 3, 4, seed=1), normal(2, 3, 4, seed=2)
    state = layer(bits=1)
    seen: list[Observation] = []
    state.observers.append(seen.append)
    state.on = False
    output, _ = reuse_attention(query, key, value, state)
    assert torch.equal(output, F.scaled_dot_product_attention(query, key, value))
    assert (
        reuse_attention(torch.empty(0, 3, 4), torch.empty(0, 2, 4), torch.empty(0, 2, 4), state)[0].numel()
        == 0
    )
    assert state.counts.vectors == 0
    assert seen[0].hitmap is None
    assert seen[0].shape.macs == 2 * 5 * 3 * (4 + 4)


BAD = [
    (
        {"query": (2, 5, 3)},
        r"query, key and value .* were \(2, 5, 3\), \(2, 3, 4\) and \(2, 3, 4\), but must",
    ),
    (
        {"value": (2, 2, 4)},
        r"but must be \(\.\.\., L, d\), \(\.\.\., S, d\) and \(\.\.\., S, e\) that broadcast",
    ),
    ({"key": (3, 3, 4)}, "that broadcast"),
    ({"mask": (5, 4)}, r"^attn_mask of layer 'attention' was \(5, 4\), but must broadcast to \(2, 5, 3\)$"),
    ({"mask": (1, 2, 5, 3)}, r"^attn_mask of layer 'attention' was \(1, 2, 5, 3\), but must broadcast"),
    ({"mask": (5, 1)}, r"^attn_mask of layer 'attention' was \(5, 1\), but must broadcast"),
]


@pytest.mark.parametrize(("wrong", "sentence"), BAD, ids=[str(wrong) for wrong, _ in BAD])
def test_shapes_that_do_not_fit(wrong: dict[str, tuple[int, ...]], sentence: str) -> None:
    shapes = {"query": (2, 5, 4), "key": (2, 3, 4), "value": (2, 3, 4), **wrong}
    mask = torch.ones(shapes["mask"], dtype=torch.bool) if "mask" in shapes else None
    operands = [torch.ones(shapes[name]) for name in ("query", "key", "value")]
    with pytest.raises(ValueError, match=sentence):
        reuse_attention(*operands, layer(), mask)


def test_masks_of_the_wrong_kind() -> None:
    x = normal(2, 3, 4)
    with pytest.raises(
        ValueError, match=r"^attn_mask of layer 'attention' was torch.int64, but must be bool or"
    ):
        reuse_attention(x, x, x, layer(), torch.ones(3, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="attn_mask and is_causal=True, but takes one of them"):
        reuse_attention(x, x, x, layer(), torch.ones(3, 3, dtype=torch.bool), is_causal=True)


class Attention(nn.Module):
    """A module that calls the function itself, with shared keys and values."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(8, 8)

    def forward(self, x: Tensor, grouped: bool = False) -> Tensor:
        heads = self.query(x).view(*x.shape[:2], 4, 2).transpose(1, 2)
        keys = x.view(*x.shape[:2], 4, 2).transpose(1, 2)[:, : 2 if grouped else 4]
        output: Tensor = F.scaled_dot_product_attention(heads, keys, keys, enable_gqa=grouped)
        return output


@pytest.mark.parametrize("grouped", [False, True])
def test_modules_that_call_the_function(grouped: bool) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(Attention())
    x = normal(2, 1, 8).expand(2, 7, 8)
    expected = model[0](x, grouped)
    handle = reuse_(model)
    assert list(handle.layers) == ["0", "0.query"]
    assert isinstance(model[0], Attention)
    torch.testing.assert_close(model[0](x, grouped), expected)
    assert handle.report()["HIT"].tolist() == [2 * 4 * 6, 2 * 6]
    handle.switch_off("0")
    torch.testing.assert_close(model[0](x, grouped), expected)
    assert handle.report()["HIT"].tolist() == [2 * 4 * 6, 4 * 6]
    restore_(model)
    assert type(model[0]) is Attention
    assert torch.equal(model[0](x, grouped), expected)
