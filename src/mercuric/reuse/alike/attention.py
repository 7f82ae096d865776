"""How does attention reuse results?"""

from itertools import zip_longest
from math import sqrt
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.errors import ArgumentError, described
from mercuric.reuse.alike.detection import Detection
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.reuse.precision import autocast, left_to_torch, refuse_complex
from mercuric.reuse.transforms import meet, see
from mercuric.reuse.vectors import attention_vectors
from mercuric.similarity.rpq import ALONE, signatures_and_sizes


def reuse_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    state: AlikeLayer,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    need_weights: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Scaled dot-product attention that computes alike queries once (paper III-C4).

    Row i of the result is an average over all values whose weights follow from query i alone, so
    alike queries of one sequence and head share the row; in the paper's y = X X^T X the queries are
    the x_i themselves. A query only reuses the row of one with the same mask: under a causal mask
    every row has a mask of its own, and none is shared.

    Args:
        query: (..., L, d), the leading dimensions sequences and heads; each is a scope.
        key: (..., S, d); leading dimensions of the three broadcast.
        value: (..., S, e).
        state: the layer's.
        attn_mask: bool (True takes part) or floating (added), broadcastable to (..., L, S).
        dropout_p: of the weights; alike queries share what is dropped.
        is_causal: query i sees the keys up to i; excludes ``attn_mask``.
        scale: of the dot products; 1 / sqrt(d) by default, and 1 where there is no softmax.
        need_weights: return the weights as well.

    Returns:
        (..., L, e), and the weights (..., L, S) or None. Gradients are exact. What PyTorch refuses raises
        PyTorch's error, and an empty batch gives what it gives there.

    Raises:
        ValueError: shapes do not fit, the numbers are complex, or the state is no such layer's.
    """
    if not isinstance(state, AlikeLayer):
        raise ArgumentError(f"state was {described(state)}, but must be the state of a layer of Alike")
    query, key, value = autocast(query), autocast(key), autocast(value)
    plain = state.config.attention == "product"
    options: dict[str, Any] = {
        "dropout_p": dropout_p, "scale": scale, "need_weights": need_weights, "plain": plain,
    }  # fmt: skip
    if not state.on:
        rows, weights = _attend(query, key, value, attn_mask, is_causal=is_causal, **options)
        tell_dense(state, query, key, value, rows)
        return rows, weights
    refuse_complex(state.name, query, key, value)
    if left_to_torch(query, key, value) or not key.numel() or not value.numel():
        return _attend(query, key, value, attn_mask, is_causal=is_causal, **options)
    meet(state.name, query, key, value)
    _check(state, query, key, value, attn_mask, is_causal)
    query, key, value = _broadcast(query, key, value)
    shape = attention_vectors(tuple(query.shape), key.shape[-2], value.shape[-1])
    attn_mask = _causal(query, key) if is_causal else attn_mask
    if attn_mask is not None and attn_mask.dim() == 1:
        attn_mask = attn_mask[None]

    def find(numbers: Tensor, mask: Tensor | None, *_: Tensor) -> tuple[Detection, Tensor, Tensor]:
        detection = _detect(numbers, mask, state)
        return detection, *_distinct(detection.source)

    detection, kept, slot = see(state.name, find, query, attn_mask, key, value)
    mask = None if attn_mask is None else _rows_of_mask(attn_mask, query, kept)
    rows, weights = _attend(_take(query, kept), key, value, mask, **options)
    output = _take(rows, slot)
    if state.wants_error:
        with torch.no_grad():
            undropped = {**options, "dropout_p": 0.0, "need_weights": False}
            dense, _ = _attend(query, key, value, attn_mask, **undropped)
            see(state.name, state.measure_error, _take(dense, detection.source), dense)
    needs_gradient = query.requires_grad
    see(state.name, lambda _: state.tell(shape, detection, needs_gradient), output)
    return output, None if weights is None else _take(weights, slot)


def tell_dense(state: AlikeLayer, query: Tensor, key: Tensor, value: Tensor, rows: Tensor) -> None:
    """Tell of a pass that PyTorch computed: ``rows`` (..., L, e) are what it gave."""
    if rows.numel() and query.numel() and key.numel():
        queries = (*rows.shape[:-1], query.shape[-1])
        shape = attention_vectors(queries, key.shape[-2], value.shape[-1])
        state.tell(shape, None, query.requires_grad)


def reference_attention(
    query: Tensor, key: Tensor, value: Tensor, source: Tensor, attn_mask: Tensor | None = None
) -> Tensor:
    """By definition: every row is computed, and then row i is the row of query ``source[..., i]``.

    ``source`` is int64, (sequences x heads, L); the other arguments are as for :func:`reuse_attention`.
    """
    weights = query @ key.transpose(-1, -2) / sqrt(query.shape[-1])
    if attn_mask is not None:
        added = (
            attn_mask
            if attn_mask.is_floating_point()
            else torch.zeros_like(weights).masked_fill(~attn_mask, -torch.inf)
        )
        weights = weights + added
    return _take(weights.softmax(-1) @ value, source)


def _detect(query: Tensor, attn_mask: Tensor | None, state: AlikeLayer) -> Detection:
    """Signatures of the queries; ``source`` is (scopes, L): the query whose row each one takes."""
    vectors = query.reshape(-1, *query.shape[-2:])
    projection = state.projection(query.shape[-1], query.device)
    found, sizes = signatures_and_sizes(vectors, projection, state.config.magnitude)
    masks = None if attn_mask is None else _mask_context(attn_mask, tuple(query.shape[:-1]))
    context = masks if sizes is None else sizes
    if sizes is not None and masks is not None:
        context = torch.where(sizes == ALONE, ALONE, sizes + (masks << _SIZE_BITS))
    hitmap = state.config.cache.access(found, context)
    return Detection(hitmap, (vectors == 0).all(-1), hitmap.representatives, found, context)


_SIZE_BITS = 20
"""A size class is an exponent of 11 bits and at most 8 bits of a mantissa."""


def _mask_context(attn_mask: Tensor, rows: tuple[int, ...]) -> Tensor | None:
    """int64, (scopes, L): equal where rows of the mask are equal; None where all rows of a scope are."""
    if attn_mask.shape[-2] == 1:
        return None
    ids: Tensor = torch.unique(attn_mask.flatten(0, -2), dim=0, return_inverse=True)[1]
    return ids.view(attn_mask.shape[:-1]).expand(rows).reshape(-1, rows[-1])


def _distinct(source: Tensor) -> tuple[Tensor, Tensor]:
    """Queries whose rows are computed, (scopes, R), and which of them each query takes, (scopes, L).

    R is the most that any scope has; scopes with fewer compute their first query again.
    """
    own = source == torch.arange(source.shape[1], device=source.device)
    rank = own.cumsum(1) - 1
    scope, query = own.nonzero(as_tuple=True)
    kept = source.new_zeros(len(source), int(own.sum(1).max()))
    kept[scope, rank[scope, query]] = query
    return kept, rank.gather(1, source)


def _take(rows: Tensor, index: Tensor) -> Tensor:
    """Rows (..., L, n) at ``index`` (scopes, R), scope by scope: (..., R, n)."""
    flat = rows.reshape(-1, *rows.shape[-2:])
    taken = flat.gather(1, index[..., None].expand(-1, -1, rows.shape[-1]))
    return taken.view(*rows.shape[:-2], *taken.shape[1:])


def _rows_of_mask(attn_mask: Tensor, query: Tensor, kept: Tensor) -> Tensor:
    if attn_mask.shape[-2] == 1:
        return attn_mask
    return _take(attn_mask.expand(*query.shape[:-1], attn_mask.shape[-1]), kept)


def _attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None,
    dropout_p: float,
    scale: float | None,
    need_weights: bool,
    is_causal: bool = False,
    plain: bool = False,
) -> tuple[Tensor, Tensor | None]:
    if plain:
        mask = _causal(query, key) if is_causal else attn_mask
        rows, weights = _products(query, key, value, mask, dropout_p, scale)
        return rows, weights if need_weights else None
    if not need_weights:
        with torch._C.DisableTorchFunction():  # or a module around this one counts the rows as its own
            return F.scaled_dot_product_attention(
                query, key, value, attn_mask, dropout_p, is_causal, scale=scale
            ), None
    factor = 1 / sqrt(query.shape[-1]) if scale is None else scale
    weights = query @ key.transpose(-1, -2) * factor
    attn_mask = _causal(query, key) if is_causal else attn_mask
    if attn_mask is not None:
        floating = attn_mask.is_floating_point()
        weights = weights + attn_mask if floating else weights.masked_fill(~attn_mask, -torch.inf)
    weights = F.dropout(weights.softmax(-1), dropout_p)
    return weights @ value, weights


def _products(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, dropout_p: float, scale: float | None
) -> tuple[Tensor, Tensor]:
    """Averages weighted by dot products: W = X X^T, Y = W X (paper III-C4); what is masked weighs nothing."""
    weights = query @ key.transpose(-1, -2) * (1 if scale is None else scale)
    if attn_mask is not None:
        seen = attn_mask != -torch.inf if attn_mask.is_floating_point() else attn_mask
        added = attn_mask.masked_fill(~seen, 0) if attn_mask.is_floating_point() else 0
        weights = (weights + added).masked_fill(~seen, 0)
    weights = F.dropout(weights, dropout_p)
    return weights @ value, weights


def _causal(query: Tensor, key: Tensor) -> Tensor:
    return torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device).tril()


def _broadcast(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    leading = _leading(query, key, value)
    query, key, value = (part.expand(*leading, *part.shape[-2:]) for part in (query, key, value))
    return query, key, value


def _leading(*parts: Tensor) -> tuple[int, ...]:
    shape: torch.Size = torch.broadcast_shapes(  # type: ignore[no-untyped-call]
        *(part.shape[:-2] for part in parts)
    )
    return tuple(shape)


def _broadcasts(*shapes: torch.Size) -> bool:
    aligned = zip_longest(*(shape[::-1] for shape in shapes), fillvalue=1)
    return all(len({size for size in sizes if size != 1}) <= 1 for sizes in aligned)


def _check(
    state: AlikeLayer, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, is_causal: bool
) -> None:
    fitting = (
        min(query.dim(), key.dim(), value.dim()) >= 2
        and _broadcasts(query.shape[:-2], key.shape[:-2], value.shape[:-2])
        and key.shape[-1] == query.shape[-1]
        and key.shape[-2] == value.shape[-2]
    )
    if not fitting:
        raise ArgumentError(
            f"query, key and value of layer {state.name!r} were {tuple(query.shape)}, {tuple(key.shape)} and "
            f"{tuple(value.shape)}, but must be (..., L, d), (..., S, d) and (..., S, e) that broadcast"
        )
    if attn_mask is None:
        return
    if is_causal:
        raise ArgumentError(
            f"layer {state.name!r} was given an attn_mask and is_causal=True, but takes one of them"
        )
    leading = _leading(query, key, value)
    rows = (*leading, query.shape[-2], key.shape[-2])
    if (
        attn_mask.dim() > len(rows)
        or any(given not in (1, must) for given, must in zip(attn_mask.shape[::-1], rows[::-1], strict=False))
        or attn_mask.shape[-1] != rows[-1]
    ):
        raise ArgumentError(
            f"attn_mask of layer {state.name!r} was {tuple(attn_mask.shape)}, but must broadcast to {rows}"
        )
    if attn_mask.dtype != torch.bool and not attn_mask.is_floating_point():
        raise ArgumentError(
            f"attn_mask of layer {state.name!r} was {attn_mask.dtype}, but must be bool or floating"
        )
