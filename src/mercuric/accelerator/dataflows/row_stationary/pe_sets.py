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


def block_owners(vectors: int, sets: int) -> NDArray[np.int64]:
    """The PE set whose block each vector is in: int64, (vectors,)."""
    lengths = block_lengths(vectors, sets)
    return np.repeat(np.arange(len(lengths)), lengths)


def interleaved(owners: NDArray[np.int64]) -> NDArray[np.int64]:
    """The vectors in the order in which PE sets in step finish them: int64, (vectors,).

    First those at the head of each set, then the second of each set, and so on.

    Args:
        owners: int64, (vectors,): the PE set of each; a set takes its vectors in their order.
    """
    by_set = np.argsort(owners, kind="stable")
    lengths = np.bincount(owners)
    positions = np.empty_like(owners)
    positions[by_set] = np.concatenate([np.arange(length) for length in lengths] or [np.arange(0)])
    return np.argsort(positions, kind="stable")


def misses_of_sets(states: Tensor, owners: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many vectors of each PE set miss (MAU or MNU), for each scope.

    Args:
        states: uint8, (scopes, vectors), as in :class:`~mercuric.similarity.hitmap.Hitmap`.
        owners: int64, (vectors,): the PE set of each.

    Returns:
        int64, (scopes, PE sets that get vectors).
    """
    misses = np.zeros((states.shape[0], int(owners.max(initial=-1)) + 1), dtype=np.int64)
    _misses_of_sets(states.detach().cpu().contiguous().numpy(), owners, misses)
    return misses


@njit(cache=True, nogil=True)
def _misses_of_sets(states: NDArray[np.uint8], owners: NDArray[np.int64], misses: NDArray[np.int64]) -> None:
    for scope in range(states.shape[0]):
        for vector in range(len(owners)):
            misses[scope, owners[vector]] += states[scope, vector] != 0  # HitState.HIT
