"""Which of a scope's dot products does each PE set get, and how many of them miss?

A block of the vectors, with all filters (``"vectors"``, paper Fig. 10); a block of the pairs of filter and
vector, filter by filter (``"products"``), so that no set idles while another has work; rows of the output
(``"rows"``, Eyeriss); or whatever comes next in a queue of misses (``"misses"``).
"""

from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from math import gcd

import numpy as np
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.accelerator.dataflows.row_stationary.filter_groups import FilterGroups
from mercuric.accelerator.dataflows.row_stationary.miss_queue import evenly
from mercuric.accelerator.dataflows.row_stationary.pe_sets import (
    block_lengths,
    block_owners,
    block_sizes,
    misses_of_sets,
    pe_sets,
)
from mercuric.accelerator.dataflows.row_stationary.row_dealing import RowLayout
from mercuric.accelerator.hardware import Accelerator, Dealing
from mercuric.errors import ArgumentError
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


def deal(accelerator: Accelerator, shape: VectorShape, kind: Kind = "conv") -> Dealt:
    """Deals every vector with every filter of a scope to the PE sets.

    Where vectors are dealt, only sets that get any are listed. Where rows are, the sets of the filters that
    are side by side follow each other: first those that begin with the first filter.

    Raises:
        ValueError: the array has fewer PEs than the window has rows, or rows are dealt that aren't known.
    """
    dealing, filters = dealing_of(accelerator, kind), shape.filters
    if dealing == "rows":
        layout = RowLayout.of(accelerator, shape)
        return _abreast(np.bincount(layout.owners, minlength=layout.sets), filters, layout.room)
    sets = pe_sets(accelerator, shape.rows)
    if dealing == "vectors":
        return _abreast(block_lengths(shape.vectors, sets), filters, 1)
    bounds = _bounds(shape.vectors, filters, sets)
    products, of_a_filter = np.diff(bounds), max(shape.vectors, 1)
    touched = (bounds[1:] - 1) // of_a_filter - bounds[:-1] // of_a_filter + 1
    return Dealt(products, np.minimum(products, shape.vectors), np.where(products > 0, touched, 0))


def deal_from_queue(accelerator: Accelerator, shape: VectorShape) -> Dealt:
    """What each PE set takes of a queue of every vector with every filter, vector by vector, in turn.

    Raises:
        ValueError: the array has fewer PEs than the window has rows.
    """
    sets = pe_sets(accelerator, shape.rows)
    products = evenly(np.array(shape.vectors * shape.filters), sets)
    every = shape.filters // max(
        gcd(shape.filters, sets), 1
    )  # pair i + k sets is of filter (i + k sets) mod filters
    return Dealt(products, np.minimum(products, shape.vectors), np.minimum(products, every))


def misses_of_blocks(states: Tensor, filters: int, sets: int) -> Counts:
    """How many pairs of each block miss (MAU or MNU) where products are dealt: int64, (scopes, PE sets).

    Args:
        states: uint8, (scopes, vectors), as in :class:`~mercuric.similarity.hitmap.Hitmap`.
        filters: filters of a scope.
        sets: PE sets that share a scope.
    """
    bounds = _bounds(states.shape[1], filters, sets)
    misses = np.zeros((states.shape[0], sets), dtype=np.int64)
    _misses_of_products(states.detach().cpu().contiguous().numpy(), bounds, misses)
    return misses


@dataclass(frozen=True)
class Tasks:
    """What PE sets do with reuse: tasks, one after the other, of the scopes that are side by side.

    Attributes:
        members: int64, (groups, scopes side by side): which these are; -1: none.
        lengths: int64, (PE sets,): dot products of a scope's task in each set.
        owners: int64, (vectors,): the PE set of each vector of a scope; None where products are dealt.
        number: of a group: filters one after the other, or groups of those in flight.
        buffers: tasks that may be under way at a time on an asynchronous array.
        filters: of a task, and of a scope's last task; 1 where vectors or rows are dealt.
        queued: whether sets take a task's dot products from a queue, so that ``lengths`` are evenly spread.
    """

    members: Counts
    lengths: Counts
    owners: Counts | None
    number: int
    buffers: int
    filters: tuple[int, int] = (1, 1)
    queued: bool = False

    @classmethod
    def of(cls, accelerator: Accelerator, shape: VectorShape) -> "Tasks":
        """The tasks of a convolution.

        Raises:
            ValueError: as :func:`deal`.
        """
        members, number = np.arange(shape.scopes, dtype=np.int64)[:, None], shape.filters
        if accelerator.dealing in ("products", "misses"):
            groups = FilterGroups.of(number, accelerator.filters_in_flight)
            lengths = deal(accelerator, replace(shape, filters=groups.each)).products
            filters, queued = (groups.each, groups.last), accelerator.dealing == "misses"
            return cls(members, lengths, None, groups.number, 2, filters, queued)
        if accelerator.dealing == "vectors":
            owners = block_owners(shape.vectors, pe_sets(accelerator, shape.rows))
        else:
            layout = RowLayout.of(accelerator, shape)
            owners, members = layout.owners, layout.members(accelerator, shape)
            number = -(-number // _replicas(accelerator, layout))
        return cls(members, np.bincount(owners), owners, number, accelerator.versions)

    def misses(self, states: Tensor, filters: int) -> Counts:
        """Dot products of a task that miss: int64, (groups, scopes side by side x PE sets)."""
        if self.queued:
            missing = (states != 0).sum(dim=1).cpu().numpy()  # HitState.HIT
            return self.abreast(evenly(missing * filters, len(self.lengths)))
        if self.owners is None:
            return self.abreast(misses_of_blocks(states, filters, len(self.lengths)))
        return self.abreast(misses_of_sets(states, self.owners))

    def pair_owners(self, filters: int, vectors: int) -> Counts:
        """The PE set of each pair of a task, filter by filter; empty where sets take them from a queue."""
        if self.queued:
            return np.zeros(0, np.int64)
        lengths = np.diff(_bounds(vectors, filters, len(self.lengths)))
        return np.repeat(np.arange(len(lengths)), lengths)

    def everywhere(self, counts: Counts) -> Counts:
        """What is the same for every scope, (PE sets,), on the whole array."""
        return self.abreast(np.broadcast_to(counts, (int(self.members.max(initial=-1)) + 1, len(counts))))

    def abreast(self, counts: Counts) -> Counts:
        """Counts of scopes, (scopes, PE sets), on the whole array; 0 where no scope is."""
        padded = np.concatenate([counts, np.zeros((1, counts.shape[1]), np.int64)])
        together: Counts = padded[self.members].reshape(len(self.members), -1)
        return together


def groups_of_scopes(accelerator: Accelerator, shape: VectorShape) -> int:
    """How many scopes a convolution has one after the other, those side by side counted once."""
    if accelerator.dealing != "rows" or accelerator.replicated == "filters":
        return shape.scopes
    return len(RowLayout.of(accelerator, shape).members(accelerator, shape))


def dealing_of(accelerator: Accelerator, kind: Kind) -> Dealing:
    """What PE sets are dealt of a layer: the accelerator's choice is for convolutions alone."""
    return accelerator.dealing if kind == "conv" else "vectors"


def most_results(accelerator: Accelerator) -> int:
    """Results that an MCACHE entry holds where no layer is known: the most for any, see :func:`results_held`.

    Where rows are dealt, one a PE is what an output of a single row would take. Then as many are taken as the
    accelerator says, or else as a 1 x 1 layer takes whose output has a row for each column of the array.
    """
    if accelerator.dealing == "vectors":
        return accelerator.results
    if accelerator.dealing == "rows":
        return min(accelerator.pes, accelerator.replicas or accelerator.rows) * accelerator.results
    apart, in_flight = accelerator.design == "asynchronous", accelerator.filters_in_flight
    dealt = 3 * accelerator.pes - 2 if apart else 2 * accelerator.pes - 1
    if accelerator.dealing == "products":
        return dealt if in_flight is None else min(dealt, (2 if apart else 1) * in_flight)
    if in_flight is None:
        raise ArgumentError(
            f"filters_in_flight of accelerator {accelerator.name!r} was None, but must be a number where "
            "dealing is 'misses' and no layer says how many filters there are"
        )
    return (2 if apart else 1) * in_flight


def results_held(accelerator: Accelerator, shape: VectorShape, kind: Kind = "conv") -> int:
    """Results that an MCACHE entry must hold for a layer: one a filter under way.

    Where rows are dealt, these are the filters side by side, each with as many after it as there are filter
    buffers. Where products are dealt, entries hold results of filters that several sets share, which are
    under way from the first set's first result until the last set's last, and in each set one that it has
    for itself. Sets of the asynchronous design may be a task apart, so what they share is there twice. Where
    misses are dealt, all filters in flight are under way until the last HIT is read.

    Raises:
        ValueError: as :func:`deal`.
    """
    dealing = dealing_of(accelerator, kind)
    if dealing == "vectors":
        return accelerator.results
    if dealing == "rows":
        side = _replicas(accelerator, RowLayout.of(accelerator, shape))
        return max(1, min(side, shape.filters)) * accelerator.results
    groups = FilterGroups.of(shape.filters, accelerator.filters_in_flight)
    together = 2 if accelerator.design == "asynchronous" else 1
    if dealing == "misses":
        return max(1, together * groups.each)
    sets, vectors = pe_sets(accelerator, shape.rows), max(shape.vectors, 1)
    cuts = [_bounds(shape.vectors, filters, sets) for filters in groups.sizes]
    shared = [len(np.unique(bounds[bounds % vectors > 0] // vectors)) for bounds in cuts]
    own = [bounds[1:] // vectors > -(-bounds[:-1] // vectors) for bounds in cuts]
    return max(
        1,
        *(
            sum(shared[one] for one in some) + int(np.any([own[one] for one in some], axis=0).sum())
            for some in combinations_with_replacement(range(len(cuts)), together)
        ),
    )


def mcaches_held(accelerator: Accelerator, shape: VectorShape | None, kind: Kind = "conv") -> int:
    """MCACHEs side by side, one a scope; without a ``shape``: as :func:`most_results` has filters.

    Raises:
        ValueError: as :func:`deal`.
    """
    if dealing_of(accelerator, kind) != "rows" or accelerator.replicated == "filters":
        return 1
    return accelerator.rows if shape is None else RowLayout.of(accelerator, shape).scopes


def _replicas(accelerator: Accelerator, layout: RowLayout) -> int:
    """Filters side by side that an MCACHE entry has room for."""
    return min(layout.room, accelerator.replicas or layout.room)


def _abreast(lengths: Counts, filters: int, room: int) -> Dealt:
    """Blocks of these lengths, for ``room`` filters at a time."""
    side = max(1, min(room, filters))
    own = -(-(filters - np.arange(side)) // side)
    each = np.repeat(own, len(lengths))
    vectors = np.tile(lengths, side)
    return Dealt(vectors * each, vectors, each)


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
