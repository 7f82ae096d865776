"""Which PE set gets which input vectors, and how many of them miss?"""

import numpy as np
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.accelerator.hardware import Accelerator


def pe_sets(accelerator: Accelerator, rows: int) -> int:
    """PE sets of an array on windows of ``rows`` rows: one PE a row (paper III-B1).

    Raises:
        ValueError: the array has fewer PEs than the window has rows.
    """
    if rows > accelerator.pes:
        raise ValueError(
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


def most_misses(states: Tensor, sets: int) -> NDArray[np.int64]:
    """The most misses (MAU or MNU) that one PE set has, for each scope.

    Args:
        states: uint8, (scopes, vectors), as in :class:`~mercuric.similarity.hitmap.Hitmap`.
        sets: PE sets that share a scope's vectors.

    Returns:
        int64, (scopes, 2): among the PE sets with a longer block, and among those with a shorter one.
    """
    most = np.zeros((states.shape[0], 2), dtype=np.int64)
    _most_misses(states.detach().cpu().contiguous().numpy(), sets, most)
    return most


@njit(cache=True, nogil=True)
def _most_misses(states: NDArray[np.uint8], sets: int, most: NDArray[np.int64]) -> None:
    scopes, vectors = states.shape
    shorter = vectors // sets
    longer_blocks = vectors - shorter * sets
    for scope in range(scopes):
        start = 0
        for block in range(min(sets, vectors)):
            is_longer = block < longer_blocks
            end = start + shorter + (1 if is_longer else 0)
            misses = 0
            for vector in range(start, end):
                misses += states[scope, vector] != 0  # HitState.HIT
            column = 0 if is_longer else 1
            most[scope, column] = max(most[scope, column], misses)
            start = end
