"""Which PE set gets which input vectors, and how many of them miss?"""

import numpy as np
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError


def pe_sets(accelerator: Accelerator, rows: int) -> int:
    """PE sets of an array on windows of ``rows`` rows: one PE a row (paper III-B1).

    Raises:
        ValueError: the array has fewer PEs than the window has rows.
    """
    if rows > accelerator.pes:
        raise ArgumentError(
            f"accelerator {accelerator.name!r} has {accelerator.pes} PEs, but a kernel of {rows} rows needs "
            f"at least {rows}: each PE of a PE set holds one row"
        )
    return accelerator.pes // rows


def block_sizes(vectors: int, sets: int) -> tuple[int, int]:
    """Vectors in a longer and in a shorter block, when ``sets`` PE sets share a scope's vectors.

    Blocks are contiguous (paper Fig. 10); the first ``vectors % sets`` are one longer. Where no
    block is longer, the longer size is 0.
    """
    shorter, left_over = divmod(vectors, sets)
    return (shorter + 1 if left_over else 0), shorter


def block_lengths(vectors: int, sets: int) -> NDArray[np.int64]:
    """Vectors of each PE set that gets any, in order: int64, (at most ``sets``,)."""
    longer, shorter = block_sizes(vectors, sets)
    more = vectors % sets
    return np.array([longer] * more + ([shorter] * (sets - more) if shorter else []), dtype=np.int64)


def interleaved(vectors: int, sets: int) -> NDArray[np.int64]:
    """The vectors in the order in which PE sets in step finish them: int64, (vectors,).

    First those at the head of each block, then the second of each block, and so on.
    """
    lengths = block_lengths(vectors, sets)
    positions = np.concatenate([np.arange(length) for length in lengths] or [np.arange(0)])
    return np.argsort(positions, kind="stable")


def misses_of_sets(states: Tensor, sets: int) -> NDArray[np.int64]:
    """How many vectors of each PE set miss (MAU or MNU), for each scope.

    Args:
        states: uint8, (scopes, vectors), as in :class:`~mercuric.similarity.hitmap.Hitmap`.
        sets: PE sets that share a scope's vectors.

    Returns:
        int64, (scopes, PE sets that get vectors).
    """
    lengths = block_lengths(states.shape[1], sets)
    misses = np.zeros((states.shape[0], len(lengths)), dtype=np.int64)
    _misses_of_sets(states.detach().cpu().contiguous().numpy(), lengths, misses)
    return misses


@njit(cache=True, nogil=True)
def _misses_of_sets(states: NDArray[np.uint8], lengths: NDArray[np.int64], misses: NDArray[np.int64]) -> None:
    for scope in range(states.shape[0]):
        vector = 0
        for pe_set in range(len(lengths)):
            for _ in range(lengths[pe_set]):
                misses[scope, pe_set] += states[scope, vector] != 0  # HitState.HIT
                vector += 1
