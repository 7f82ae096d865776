"""Which of a scope's dot products does each PE set get, and how many of them miss?

Either a block of the vectors, with all filters (``"vectors"``, paper Fig. 10), or a block of the pairs of
filter and vector, filter by filter (``"products"``), so that no set idles while another has work.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.accelerator.dataflows.row_stationary.pe_sets import (
    block_lengths,
    block_sizes,
    misses_of_sets,
    pe_sets,
)
from mercuric.accelerator.hardware import Accelerator, Dealing
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import VectorShape

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Dealt:
    """What each PE set gets of a scope: int64, (PE sets,).

    Attributes:
        products: dot products.
        vectors: different vectors among them.
        filters: different filters among them.
    """

    products: Counts
    vectors: Counts
    filters: Counts

    @property
    def most(self) -> int:
        """Dot products of the fullest set."""
        return int(self.products.max(initial=0))


def deal(dealing: Dealing, vectors: int, filters: int, sets: int) -> Dealt:
    """Deals every vector with every filter to ``sets`` PE sets, in contiguous blocks.

    With ``"vectors"`` only sets that get any are listed; with ``"products"`` all are.
    """
    if dealing == "vectors":
        lengths = block_lengths(vectors, sets)
        return Dealt(lengths * filters, lengths, np.full_like(lengths, filters))
    bounds = _bounds(vectors, filters, sets)
    products, of_a_filter = np.diff(bounds), max(vectors, 1)
    touched = (bounds[1:] - 1) // of_a_filter - bounds[:-1] // of_a_filter + 1
    return Dealt(products, np.minimum(products, vectors), np.where(products > 0, touched, 0))


def misses_of_blocks(dealing: Dealing, states: Tensor, filters: int, sets: int) -> Counts:
    """How many dot products of each block miss (MAU or MNU): int64, (scopes, PE sets).

    Args:
        dealing: ``"vectors"``: of one filter; ``"products"``: of all.
        states: uint8, (scopes, vectors), as in :class:`~mercuric.similarity.hitmap.Hitmap`.
        filters: filters of a scope.
        sets: PE sets that share a scope.
    """
    if dealing == "vectors":
        return misses_of_sets(states, sets)
    bounds = _bounds(states.shape[1], filters, sets)
    misses = np.zeros((states.shape[0], sets), dtype=np.int64)
    _misses_of_products(states.detach().cpu().contiguous().numpy(), bounds, misses)
    return misses


def dealing_of(accelerator: Accelerator, kind: Kind) -> Dealing:
    """What PE sets are dealt of a layer: the accelerator's choice is for convolutions alone."""
    return accelerator.dealing if kind == "conv" else "vectors"


def most_results(accelerator: Accelerator) -> int:
    """The most results that an MCACHE entry must hold for any layer, see :func:`results_held`."""
    if accelerator.dealing == "vectors":
        return accelerator.results
    return 3 * accelerator.pes - 2 if accelerator.design == "asynchronous" else 2 * accelerator.pes - 1


def results_held(accelerator: Accelerator, shape: VectorShape, kind: Kind = "conv") -> int:
    """Results that an MCACHE entry must hold for a layer: one a filter under way.

    Where products are dealt, entries hold results of filters that several sets share, which are under way
    from the first set's first result until the last set's last, and in each set one that it has for itself.
    Sets of the asynchronous design may be a scope apart, so what they share is there twice.

    Raises:
        ValueError: the array has fewer PEs than a window has rows.
    """
    if dealing_of(accelerator, kind) == "vectors":
        return accelerator.results
    sets, vectors = pe_sets(accelerator, shape.rows), max(shape.vectors, 1)
    bounds = _bounds(shape.vectors, shape.filters, sets)
    shared = len(np.unique(bounds[bounds % vectors > 0] // vectors))
    own = int(np.count_nonzero(bounds[1:] // vectors > -(-bounds[:-1] // vectors)))
    return max(1, (2 if accelerator.design == "asynchronous" else 1) * shared + own)


def _bounds(vectors: int, filters: int, sets: int) -> Counts:
    """Where each set's block of pairs begins, and where the last ends: int64, (sets + 1,)."""
    longer, shorter = block_sizes(vectors * filters, sets)
    lengths = np.full(sets, shorter, dtype=np.int64)
    lengths[: vectors * filters % sets] = longer
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


@njit(cache=True, nogil=True)
def _misses_of_products(states: NDArray[np.uint8], bounds: Counts, misses: Counts) -> None:
    """A block's misses are those before its end, less those before its start: whole filters and a rest."""
    scopes, vectors = states.shape
    before = np.zeros(vectors + 1, np.int64)
    for scope in range(scopes if vectors else 0):
        for vector in range(vectors):
            before[vector + 1] = before[vector] + (states[scope, vector] != 0)  # HitState.HIT
        passed = 0
        for pe_set in range(len(bounds) - 1):
            end = bounds[pe_set + 1]
            until = end // vectors * before[vectors] + before[end % vectors]
            misses[scope, pe_set] = until - passed
            passed = until
