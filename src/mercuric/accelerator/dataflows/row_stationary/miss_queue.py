"""What do PE sets do that take misses from a queue, and then HITs, each whenever it is free?

``dealing="misses"``: once the Hitmap of a scope is known, its misses stand in a queue, each with all filters
in flight one after the other, and its HITs behind them. Whichever set is free first takes the next pair; of
several, the first set. A HIT's result may be any set's: it comes through a crossbar.
"""

from heapq import heapify, heapreplace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mercuric.accelerator.dataflows.dot_product import Pace

Counts = NDArray[np.int64]


def evenly(total: Counts, sets: int) -> Counts:
    """Pairs spread over PE sets, the first of which have one more: int64, (..., PE sets)."""
    each: Counts = total[..., None] // sets + (np.arange(sets) < total[..., None] % sets)
    return each


def queued_cycles(misses: Counts, hits: Counts, sets: int, pace: Pace) -> Counts:
    """Cycles of a queue that all PE sets begin together, with results ready: int64, as ``misses``.

    Misses take rounds of all sets; HITs fill the last round before they add to all sets alike.
    """
    rounds = -(-misses // sets) * pace.interval
    level = -(-(misses * pace.interval + hits) // sets)
    cycles: Counts = np.maximum(rounds, level) + (misses > 0) * pace.drain
    return cycles


@njit(cache=True, nogil=True)
def take_from_queue(
    misses: int, hits: int, interval: int, drain: int, free: Counts, left: Counts, taken: Counts
) -> None:
    """A queue's misses and HITs, results ready; changes the PE sets' times in place, counts what each takes.

    ``free`` is when a set may begin, ``left`` when its last result left, but not before that.
    """
    _take_alike(misses, interval, free, taken)
    for pe_set in range(len(free)):
        if taken[pe_set]:
            left[pe_set] = free[pe_set] + drain
    before = free.copy()
    _take_alike(hits, 1, free, taken)
    for pe_set in range(len(free)):
        left[pe_set] += free[pe_set] - before[pe_set]


@njit(cache=True, nogil=True)
def _take_alike(pairs: int, interval: int, free: Counts, taken: Counts) -> None:
    """``pairs`` that take as long as each other: all that begin before a cycle, and some in that cycle."""
    low, high = free.min(), free.max() + (pairs // len(free) + 1) * interval
    while low < high - 1:  # at most ``pairs`` begin before ``low``, more before ``high``
        middle = (low + high) // 2
        begun = 0
        for pe_set in range(len(free)):
            begun += max(0, (middle - free[pe_set] + interval - 1) // interval)
        if begun <= pairs:
            low = middle
        else:
            high = middle
    rest = pairs
    for pe_set in range(len(free)):
        count = max(0, (low - free[pe_set] + interval - 1) // interval)
        rest -= count
        taken[pe_set] += count
        free[pe_set] += count * interval
    for pe_set in range(len(free)):
        if rest and free[pe_set] == low:
            rest -= 1
            taken[pe_set] += 1
            free[pe_set] += interval


@njit(cache=True, nogil=True)
def take_queue_turns(
    states: NDArray[np.uint8],
    representatives: Counts,
    filters: int,
    recompute: bool,
    interval: int,
    drain: int,
    free: Counts,
    left: Counts,
    results: Counts,
    taken: Counts,
) -> None:
    """:func:`take_from_queue` of one scope, where a HIT's result may not be there yet.

    ``results``, (filters x vectors,), is room to note when results leave.
    """
    vectors = len(states)
    takers = np.zeros(filters * vectors, np.int64)
    sets = [(free[pe_set], pe_set) for pe_set in range(len(free))]
    heapify(sets)
    for hits in (False, True):
        for pair in range(filters * vectors):
            vector, filter_ = divmod(pair, filters)
            if (states[vector] == 0) != hits:  # HitState.HIT
                continue
            now, own = sets[0]
            taken[own] += 1
            source = representatives[vector] * filters + filter_
            late = hits and takers[source] != own and results[source] > now
            if hits and not (late and recompute):
                now = (results[source] if late else now) + 1
                left[own] = max(left[own] + 1, now)
            else:
                now += interval
                left[own] = results[pair] = now + drain
                takers[pair] = own
            heapreplace(sets, (now, own))
    for now, own in sets:
        free[own] = now
