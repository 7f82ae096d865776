"""In which line of the MCACHE does each vector's result lie? (paper III-B3, Signature Table)"""

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.similarity import MCache
from mercuric.similarity.hitmap import Hitmap, HitState


def entry_ids(hitmap: Hitmap, cache_sets: Tensor | None, cache: MCache) -> NDArray[np.int64]:
    """The MCACHE line of each vector's result: set x ways + way.

    An MNU vector has no line; it is given its set's first one, so that its set is known. Lines of an
    unlimited cache are numbered as they are inserted.

    Args:
        hitmap: (scopes, vectors).
        cache_sets: int64, (scopes, vectors): where each signature is looked up; None for an unlimited cache.
        cache: the MCACHE that the Hitmap came from.

    Returns:
        int64, (scopes, vectors); equal to :func:`reference_entry_ids`.

    Raises:
        ValueError: the sets are missing, or no such MCACHE can have given this Hitmap.
    """
    states, representatives = hitmap.arrays()
    if cache.sets is not None and cache_sets is None:
        raise ArgumentError(
            f"cache_sets was None, but must say which of the {cache.sets} sets each vector is in"
        )
    sets = np.zeros_like(representatives) if cache_sets is None else cache_sets.cpu().contiguous().numpy()
    ids = np.empty(states.shape, dtype=np.int64)
    wrong = _number(states, representatives, sets, cache.sets or 0, _ways(cache, states), ids)
    if wrong >= 0:
        scope, vector = divmod(wrong, states.shape[1])
        state = int(states[scope, vector])
        name = HitState(state).name if state in list(HitState) else state
        raise ArgumentError(
            f"hitmap was {name} at vector {vector} of scope {scope}, but must be what {cache} can say"
        )
    return ids


def reference_entry_ids(hitmap: Hitmap, cache_sets: Tensor | None, cache: MCache) -> NDArray[np.int64]:
    """The definition: an MCACHE line is taken by each MAU vector, in vector order."""
    ids = np.empty(tuple(hitmap.states.shape), dtype=np.int64)
    for scope, states in enumerate(hitmap.states.tolist()):
        filled: dict[int, int] = {}
        for vector, state in enumerate(states):
            cache_set = 0 if cache_sets is None else int(cache_sets[scope, vector])
            first_line = 0 if cache.sets is None else cache_set * cache.ways
            if state == HitState.MAU:
                ids[scope, vector] = first_line + filled.get(cache_set, 0)
                filled[cache_set] = filled.get(cache_set, 0) + 1
            elif state == HitState.HIT:
                ids[scope, vector] = ids[scope, int(hitmap.representatives[scope, vector])]
            else:
                ids[scope, vector] = first_line
    return ids


def hitmap_of(
    states: NDArray[np.uint8], ids: NDArray[np.int64], cache: MCache
) -> tuple[Hitmap, Tensor | None]:
    """The Hitmap and the MCACHE sets that :func:`entry_ids` made ``ids`` from.

    Raises:
        ValueError: no such MCACHE has these lines.
    """
    representatives = np.empty(states.shape, dtype=np.int64)
    wrong = _resolve(states, ids, cache.sets or 0, _ways(cache, states), representatives)
    if wrong >= 0:
        scope, vector = divmod(wrong, states.shape[1])
        raise ArgumentError(
            f"entry id was {ids[scope, vector]} at vector {vector} of scope {scope} (state "
            f"{states[scope, vector]}), which can't be in {cache}"
        )
    cache_sets = None if cache.sets is None else torch.from_numpy(ids // cache.ways)
    return Hitmap(torch.from_numpy(states), torch.from_numpy(representatives)), cache_sets


def _ways(cache: MCache, states: NDArray[np.uint8]) -> int:
    """Ways of a set; an unlimited cache is one set with room for all."""
    return states.shape[1] if cache.sets is None else cache.ways


@njit(cache=True, nogil=True)
def _number(
    states: NDArray[np.uint8],
    representatives: NDArray[np.int64],
    cache_sets: NDArray[np.int64],
    sets: int,
    ways: int,
    ids: NDArray[np.int64],
) -> int:
    # HIT, MAU, MNU are 0, 1, 2 (HitState). Returns the place of the first contradiction, or -1.
    scopes, vectors = states.shape
    filled = np.zeros(max(1, sets), dtype=np.int64)
    for scope in range(scopes):
        filled[:] = 0
        for vector in range(vectors):
            place = int(scope * vectors + vector)
            state, source = states[scope, vector], representatives[scope, vector]
            cache_set = cache_sets[scope, vector]
            if cache_set < 0 or cache_set >= len(filled) or state > 2:
                return place
            if state == 0:
                if source < 0 or source >= vector or states[scope, source] != 1:
                    return place
                if cache_sets[scope, source] != cache_set:
                    return place
                ids[scope, vector] = ids[scope, source]
                continue
            is_full = filled[cache_set] == ways
            if source != vector or is_full != (state == 2):
                return place
            ids[scope, vector] = cache_set * ways + (0 if is_full else filled[cache_set])
            filled[cache_set] += state == 1
    return -1


@njit(cache=True, nogil=True)
def _resolve(
    states: NDArray[np.uint8],
    ids: NDArray[np.int64],
    sets: int,
    ways: int,
    representatives: NDArray[np.int64],
) -> int:
    # The inverse of _number, with the same checks.
    scopes, vectors = states.shape
    filled = np.zeros(max(1, sets), dtype=np.int64)
    owner = np.empty(len(filled) * ways, dtype=np.int64)
    for scope in range(scopes):
        filled[:] = 0
        for vector in range(vectors):
            place = int(scope * vectors + vector)
            state, line = states[scope, vector], ids[scope, vector]
            if line < 0 or line >= len(owner) or state > 2:
                return place
            cache_set, way = line // ways, line % ways
            if state == 0:
                if way >= filled[cache_set]:
                    return place
                representatives[scope, vector] = owner[line]
                continue
            is_full = filled[cache_set] == ways
            if is_full != (state == 2) or way != (0 if is_full else filled[cache_set]):
                return place
            representatives[scope, vector] = vector
            if state == 1:
                owner[line] = vector
                filled[cache_set] += 1
    return -1
