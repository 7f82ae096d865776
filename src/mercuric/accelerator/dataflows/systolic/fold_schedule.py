"""When has the last fold drained, if folds overlap? (docs/systolic-arrays.md, Asynchronous design)"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Counts = NDArray[np.int64]

_LOADED, _ENTERED, _STREAMED, _LEFT, _FOLDS = range(5)
"""What a schedule remembers of its last fold, in cycles, and how many folds there were."""


def drained(signatures: Counts, products: Counts, skew: int, versions: int, load_waits: bool) -> int:
    """Cycles until the last result of all scopes has left.

    The signatures of each next scope go before the products of a scope, so that its Hitmap is there when
    its products begin.

    Args:
        signatures: int64, (scopes, runs, 6): the folds of each scope's signatures, as
            :func:`~mercuric.accelerator.dataflows.systolic.cycles.folds` puts them.
        products: int64, (scopes, runs, 6): those of its products.
        skew: cycles by which the last column is behind the first.
        versions: folds that may be under way at a time.
        load_waits: whether the Hitmap decides on what is loaded, not only on what streams.
    """
    return int(_drained(signatures, products, skew, versions, load_waits))


@njit(cache=True, nogil=True)
def _drained(signatures: Counts, products: Counts, skew: int, versions: int, load_waits: bool) -> int:
    scopes = len(products)
    schedule, ends = np.zeros(5, dtype=np.int64), np.zeros(versions, dtype=np.int64)
    hitmaps = np.zeros(scopes, dtype=np.int64)
    for step in range(scopes + 1):
        if step < scopes and _run(schedule, ends, signatures[step], skew):
            hitmaps[step] = schedule[_LEFT] + skew
        if step:
            waiting = _LOADED if load_waits else _STREAMED
            schedule[waiting] = max(schedule[waiting], hitmaps[step - 1])
            _run(schedule, ends, products[step - 1], skew)
    return schedule[_LEFT] + skew if schedule[_FOLDS] else 0


@njit(cache=True, nogil=True)
def _run(schedule: Counts, ends: Counts, runs: Counts, skew: int) -> bool:
    """Put all folds of a scope behind the others; whether there were any."""
    folds = 0
    for run in range(len(runs)):
        folds += runs[run, 0]
        _repeat(schedule, ends, runs[run], skew)
    return folds > 0


@njit(cache=True, nogil=True)
def _repeat(schedule: Counts, ends: Counts, run: Counts, skew: int) -> None:
    """Put a run of equal folds behind the others.

    A fold's times are maxima of earlier times plus constants. So once everything that is remembered has
    moved by the same number of cycles in ``versions`` folds, it does so in all further ones.
    """
    left, versions = run[0], len(ends)
    while left > 0:
        before, ends_before = schedule.copy(), ends.copy()
        for _ in range(min(versions, left)):
            _fold(schedule, ends, run, skew)
        left -= versions
        rounds, moved = left // versions, schedule[_LEFT] - before[_LEFT]
        settled = np.all(schedule[:_FOLDS] - before[:_FOLDS] == moved) and np.all(ends - ends_before == moved)
        if rounds > 0 and settled:
            schedule[:_FOLDS] += rounds * moved
            schedule[_FOLDS] += rounds * versions
            ends += rounds * moved
            left -= rounds * versions


@njit(cache=True, nogil=True)
def _fold(schedule: Counts, ends: Counts, run: Counts, skew: int) -> None:
    """Put one fold behind the others."""
    _, load, stream, lead, latency, leaving = run
    version = schedule[_FOLDS] % len(ends)
    schedule[_LOADED] = max(schedule[_LOADED], schedule[_ENTERED]) + load
    begun = max(schedule[_LOADED], schedule[_STREAMED])
    begun = max(begun, schedule[_LEFT] - latency)
    begun = max(begun, ends[version])
    schedule[_ENTERED] = begun + lead
    schedule[_STREAMED] = begun + stream
    schedule[_LEFT] = begun + latency + leaving
    ends[version] = schedule[_LEFT] + skew
    schedule[_FOLDS] += 1
