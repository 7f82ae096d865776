"""MCACHE look-ups on a CPU, one scope after the other, compiled."""

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.similarity.hitmap import Hitmap
from mercuric.similarity.threads import over_chunks


def access_compiled(signatures: Tensor, sets: int | None, ways: int, alone: Tensor | None = None) -> Hitmap:
    """:meth:`MCache.reference_access <mercuric.similarity.MCache.reference_access>`, compiled."""
    scopes, vectors = signatures.shape[:2]
    states = np.empty((scopes, vectors), dtype=np.uint8)
    representatives = np.empty((scopes, vectors), dtype=np.int64)
    if scopes and vectors:
        words = signatures.contiguous().view(scopes, vectors, -1).numpy()
        lonely = np.empty((0, 0), dtype=np.bool_) if alone is None else alone.contiguous().numpy()
        if sets is None:
            over_chunks(_access_unlimited, scopes, words, lonely, states, representatives)
        else:
            over_chunks(_access_sets, scopes, words, lonely, sets, ways, states, representatives)
    return Hitmap(torch.from_numpy(states), torch.from_numpy(representatives))


@njit(nogil=True, cache=True)
def _access_sets(
    first: int,
    last: int,
    signatures: NDArray[np.int64],
    alone: NDArray[np.bool_],
    sets: int,
    ways: int,
    states: NDArray[np.uint8],
    representatives: NDArray[np.int64],
) -> None:
    # HIT, MAU, MNU are 0, 1, 2 (HitState): an enum's look-up costs more than the cache's own.
    words = signatures.shape[2]
    low = np.empty((sets, ways), dtype=np.int64)
    owner = np.empty((sets, ways), dtype=np.int64)
    filled = np.empty(sets, dtype=np.int64)
    mask = sets - 1 if sets & (sets - 1) == 0 else -1
    for scope in range(first, last):
        filled[:] = 0
        for vector in range(signatures.shape[1]):
            if len(alone) and alone[scope, vector]:
                states[scope, vector] = 2
                representatives[scope, vector] = vector
                continue
            tag = signatures[scope, vector, 0]
            index = tag & mask if mask >= 0 else tag % sets
            count = filled[index]
            way = 0
            while way < count and (
                low[index, way] != tag
                or (words > 1 and _differ(signatures[scope], owner[index, way], vector))
            ):
                way += 1
            if way < count:
                states[scope, vector] = 0
                representatives[scope, vector] = owner[index, way]
                continue
            representatives[scope, vector] = vector
            if count == ways:
                states[scope, vector] = 2
                continue
            states[scope, vector] = 1
            low[index, count] = tag
            owner[index, count] = vector
            filled[index] = count + 1


@njit(nogil=True, cache=True)
def _differ(tags: NDArray[np.int64], one: int, other: int) -> bool:
    word = 0
    while word < tags.shape[1] and tags[one, word] == tags[other, word]:
        word += 1
    return bool(word < tags.shape[1])


@njit(nogil=True, cache=True)
def _access_unlimited(
    first: int,
    last: int,
    signatures: NDArray[np.int64],
    alone: NDArray[np.bool_],
    states: NDArray[np.uint8],
    representatives: NDArray[np.int64],
) -> None:
    vectors, words = signatures.shape[1], signatures.shape[2]
    slots = 1
    while slots < 2 * vectors:
        slots *= 2
    owner = np.empty(slots, dtype=np.int64)
    for scope in range(first, last):
        owner[:] = -1
        for vector in range(vectors):
            if len(alone) and alone[scope, vector]:
                states[scope, vector] = 2
                representatives[scope, vector] = vector
                continue
            tag = signatures[scope, vector, 0]
            mixed = tag
            for word in range(1, words):
                mixed ^= signatures[scope, vector, word] * 0x2545F4914F6CDD1D
            mixed *= 0x1E3779B97F4A7C15
            slot = (mixed ^ (mixed >> 31)) & (slots - 1)
            while True:
                known = owner[slot]
                if known < 0:
                    owner[slot] = vector
                    states[scope, vector] = 1
                    representatives[scope, vector] = vector
                    break
                if not _differ(signatures[scope], known, vector):
                    states[scope, vector] = 0
                    representatives[scope, vector] = known
                    break
                slot = (slot + 1) & (slots - 1)
