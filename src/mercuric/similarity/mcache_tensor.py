"""MCACHE look-ups as tensor operations, for any device.

Without replacement the outcome is order statistics: a set keeps the first ``ways`` distinct
signatures by first occurrence, and a signature refused once is refused for the whole scope.
"""

import torch
from torch import Tensor

from mercuric.similarity.hitmap import Hitmap, HitState


def access_tensor(signatures: Tensor, sets: int | None, ways: int, alone: Tensor | None = None) -> Hitmap:
    """:meth:`MCache.reference_access <mercuric.similarity.MCache.reference_access>` by sorting."""
    scopes, vectors = signatures.shape[:2]
    if not scopes or not vectors:
        empty = torch.empty(scopes, vectors, dtype=torch.int64, device=signatures.device)
        return Hitmap(empty.to(torch.uint8), empty)
    words = signatures.view(scopes, vectors, -1)
    own = torch.arange(vectors, device=signatures.device).expand(scopes, vectors)
    first = _first_occurrence(words)
    if alone is not None:
        # No other has the context of one that is alone, so its group holds nobody else.
        first = torch.where(alone, own, first)
    is_first = first == own if alone is None else (first == own) & ~alone
    if sets is None:
        kept = torch.ones_like(is_first)
    else:
        rank = _rank_among_first(words[..., 0].remainder(sets), is_first)
        kept = rank.gather(1, first) < ways
    hit = kept & (first != own)
    states = torch.full_like(own, HitState.MNU.value, dtype=torch.uint8)
    states[kept & is_first] = HitState.MAU.value
    states[hit] = HitState.HIT.value
    return Hitmap(states, torch.where(hit, first, own))


def _first_occurrence(words: Tensor) -> Tensor:
    """Index of the first vector with the same signature, (scopes, vectors)."""
    order = torch.arange(words.shape[1], device=words.device).expand(words.shape[:2])
    for word in reversed(range(words.shape[2])):
        ranked = words[..., word].gather(1, order).sort(dim=1, stable=True).indices
        order = order.gather(1, ranked)
    ordered = words.gather(1, order[..., None].expand_as(words))
    starts = _run_starts((ordered[:, 1:] != ordered[:, :-1]).any(-1))
    return torch.empty_like(order).scatter_(1, order, order.gather(1, starts))


def _rank_among_first(cache_sets: Tensor, is_first: Tensor) -> Tensor:
    """How many distinct signatures came to the same set before each first occurrence."""
    order = cache_sets.sort(dim=1, stable=True).indices
    ordered = cache_sets.gather(1, order)
    starts = _run_starts(ordered[:, 1:] != ordered[:, :-1])
    firsts = is_first.gather(1, order).to(torch.int64)
    before = firsts.cumsum(1) - firsts
    return torch.empty_like(order).scatter_(1, order, before - before.gather(1, starts))


def _run_starts(changes: Tensor) -> Tensor:
    """Index of the first element of each element's run, from where neighbours differ."""
    positions = torch.arange(changes.shape[1] + 1, device=changes.device)
    changed = torch.nn.functional.pad(changes, (1, 0), value=True)
    return torch.where(changed, positions, 0).cummax(dim=1).values
