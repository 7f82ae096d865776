"""When are the PE sets done with a filter, where a HIT's result may not be there yet?

PE sets run at different speeds, so a HIT may come to its turn before another set has computed what it
reuses. It looks at the entry's valid-data bit in its turn, then waits, or is computed after all.
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mercuric.accelerator.dataflows.dot_product import Pace
from mercuric.accelerator.dataflows.row_stationary.dealing import Tasks
from mercuric.accelerator.dataflows.row_stationary.miss_queue import take_queue_turns
from mercuric.accelerator.dataflows.row_stationary.pe_sets import interleaved
from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError
from mercuric.similarity.hitmap import Hitmap
from mercuric.trace.work import Work


@dataclass(frozen=True)
class Turns:
    """A layer's vectors as the PE sets take them.

    Attributes:
        states: uint8, (scopes, vectors), as in :class:`~mercuric.similarity.hitmap.Hitmap`.
        representatives: int64, (scopes, vectors): whose result a vector uses.
        owners: int64, (filters of a task x vectors,): the PE set of each dot product, filter by filter,
            among the sets of its scope.
        members: int64, (groups, scopes side by side): which these are; -1: none.
        order: int64, (scopes, vectors), or (1, vectors) for all: the vectors by arrival at the MCACHE, each
            after its representative.
        recompute: whether a late HIT is computed; else it waits.
        last: the turns of a scope's last task, where it has fewer filters than the others.
        queue: filters of a task, and PE sets, where these take pairs from a queue: ``owners`` is then empty.
    """

    states: NDArray[np.uint8]
    representatives: NDArray[np.int64]
    owners: NDArray[np.int64]
    members: NDArray[np.int64]
    order: NDArray[np.int64]
    recompute: bool
    last: "Turns | None" = None
    queue: tuple[int, int] | None = None

    @classmethod
    def of(cls, accelerator: Accelerator, work: Work) -> "Turns | None":
        """The turns of ``work``; None where reuse is off or late HITs are taken as ready.

        Raises:
            ValueError: a HIT's representative does not arrive before it, or has no entry.
        """
        if work.hitmap is None or accelerator.late_hits == "ready":
            return None
        tasks = Tasks.of(accelerator, work.shape)
        owners, order = tasks.owners, np.arange(work.shape.vectors)
        if owners is None:
            owners = tasks.pair_owners(tasks.filters[0], len(order))
        elif accelerator.arrival == "interleaved":
            order = interleaved(owners)
        turns = cls.checked(work.hitmap, owners, tasks.members, order, accelerator.late_hits == "recompute")
        each, last = tasks.filters
        queues = [(filters, len(tasks.lengths)) if tasks.queued else None for filters in (each, last)]
        turns = replace(turns, queue=queues[0])
        if each == last:
            return turns
        fewer = replace(turns, owners=tasks.pair_owners(last, len(order)), queue=queues[1])
        return replace(turns, last=fewer)

    @classmethod
    def checked(
        cls,
        hitmap: Hitmap,
        owners: NDArray[np.int64],
        members: NDArray[np.int64],
        order: NDArray[np.int64],
        recompute: bool,
    ) -> "Turns":
        """The turns under a Hitmap that says of every HIT whose result it reads, by this order of vectors."""
        states, representatives = hitmap.arrays()
        order = np.atleast_2d(order)
        wrong = int(_first_wrong(states, representatives, np.argsort(order, axis=1)))
        if wrong >= 0:
            scope, vector = divmod(wrong, states.shape[1])
            raise ArgumentError(
                f"representatives of the Hitmap had {representatives[scope, vector]} for the HIT {vector} of "
                f"scope {scope}, but must name a vector with an entry (MAU) that arrives before it"
            )
        return cls(states, representatives, owners, members, order, recompute)

    def slowest(self, pace: Pace) -> NDArray[np.int64]:
        """Cycles until all PE sets are done with one task that they start together: int64, (groups,)."""
        cycles = np.zeros(len(self.states) + 1, dtype=np.int64)  # the last one is of no scope
        filters, sets = self.queue or (0, int(self.owners.max(initial=-1)) + 1)
        _slowest(
            self.states, self.representatives, self.owners, self.order, self.recompute, filters, sets,
            pace.interval, pace.drain, cycles[:-1],
        )  # fmt: skip
        slowest: NDArray[np.int64] = cycles[self.members].max(axis=1)
        return slowest

    def slowest_by_definition(self, pace: Pace) -> list[int]:
        """What :meth:`slowest` computes, a vector at a time."""
        return [
            max((max(self._done(scope, pace), default=0) for scope in group if scope >= 0), default=0)
            for group in self.members.tolist()
        ]

    def _done(self, scope: int, pace: Pace) -> list[int]:
        sets = [0] * (self.queue[1] if self.queue else int(self.owners.max(initial=-1)) + 1)
        return self.one_scope(scope, pace, sets, list(sets))[1]

    def one_task(
        self, group: int, pace: Pace, free: list[int], left: list[int]
    ) -> tuple[list[int], list[int]]:
        """:meth:`one_scope` of all scopes of a group, each with as many PE sets as the others."""
        members = self.members[group].tolist()
        each, free, left = len(free) // len(members), list(free), list(left)
        for place, scope in enumerate(members):
            own = slice(place * each, (place + 1) * each)
            if scope >= 0:
                free[own], left[own] = self.one_scope(scope, pace, free[own], left[own])
        return free, left

    def one_scope(
        self, scope: int, pace: Pace, free: list[int], left: list[int]
    ) -> tuple[list[int], list[int]]:
        """When each PE set of a scope has issued a task's last dot product, and when its last result left.

        Args:
            scope: whose vectors.
            pace: of their dot products.
            free: when each PE set begins.
            left: when its last result before this task left, but not before ``free``.
        """
        free, left = list(free), list(left)
        if self.queue:
            return self._one_queue(scope, self.queue[0], pace, free, left)
        for owners in self.owners.reshape(-1, max(1, self.order.shape[1])).tolist():
            results: dict[int, int] = {}
            for vector in self._order(scope):
                own, source = owners[vector], int(self.representatives[scope, vector])
                hits = self.states[scope, vector] == 0
                late = hits and owners[source] != own and results[source] > free[own]
                if hits and not (late and self.recompute):
                    free[own] = (results[source] if late else free[own]) + 1
                    left[own] = max(left[own] + 1, free[own])
                else:
                    free[own] += pace.interval
                    left[own] = results[vector] = free[own] + pace.drain
        return free, left

    def _order(self, scope: int) -> list[int]:
        order: list[int] = self.order[min(scope, len(self.order) - 1)].tolist()
        return order

    def _one_queue(
        self, scope: int, filters: int, pace: Pace, free: list[int], left: list[int]
    ) -> tuple[list[int], list[int]]:
        results: dict[tuple[int, int], int] = {}
        takers: dict[tuple[int, int], int] = {}
        by_kind = sorted(self._order(scope), key=lambda vector: bool(self.states[scope, vector] == 0))
        for vector, filter_ in product(by_kind, range(filters)):
            own = min(range(len(free)), key=free.__getitem__)
            source = (int(self.representatives[scope, vector]), filter_)
            hits = self.states[scope, vector] == 0
            late = hits and takers[source] != own and results[source] > free[own]
            if hits and not (late and self.recompute):
                free[own] = (results[source] if late else free[own]) + 1
                left[own] = max(left[own] + 1, free[own])
            else:
                free[own] += pace.interval
                left[own] = results[vector, filter_] = free[own] + pace.drain
                takers[vector, filter_] = own
        return free, left


@njit(cache=True, nogil=True)
def take_turns(
    states: NDArray[np.uint8],
    representatives: NDArray[np.int64],
    owners: NDArray[np.int64],
    order: NDArray[np.int64],
    recompute: bool,
    interval: int,
    drain: int,
    free: NDArray[np.int64],
    left: NDArray[np.int64],
    results: NDArray[np.int64],
) -> None:
    """:meth:`Turns.one_scope`, compiled: changes ``free`` and ``left`` of the PE sets in place.

    ``order``, (vectors,), is the scope's; ``results``, (vectors,), is room to note when a filter's results
    leave.
    """
    for first in range(0, len(owners), max(1, len(order))):
        for vector in order:
            own = owners[first + vector]
            if states[vector] == 0:  # HitState.HIT
                source = representatives[vector]
                late = owners[first + source] != own and results[source] > free[own]
                if not (late and recompute):
                    free[own] = (results[source] if late else free[own]) + 1
                    left[own] = max(left[own] + 1, free[own])
                    continue
            free[own] += interval
            left[own] = results[vector] = free[own] + drain


@njit(cache=True, nogil=True)
def _slowest(
    states: NDArray[np.uint8],
    representatives: NDArray[np.int64],
    owners: NDArray[np.int64],
    order: NDArray[np.int64],
    recompute: bool,
    queued: int,
    sets: int,
    interval: int,
    drain: int,
    cycles: NDArray[np.int64],
) -> None:
    free, left, taken = np.zeros(sets, np.int64), np.zeros(sets, np.int64), np.zeros(sets, np.int64)
    results = np.zeros(order.shape[1] * max(1, queued), np.int64)
    for scope in range(len(cycles)):
        free[:] = 0
        left[:] = 0
        if queued:
            take_queue_turns(
                states[scope], representatives[scope], queued, recompute, interval, drain,
                free, left, results, taken,
            )  # fmt: skip
        else:
            take_turns(
                states[scope], representatives[scope], owners, order[min(scope, len(order) - 1)], recompute,
                interval, drain, free, left, results,
            )  # fmt: skip
        for pe_set in range(sets):
            cycles[scope] = max(cycles[scope], left[pe_set])


@njit(cache=True, nogil=True)
def _first_wrong(
    states: NDArray[np.uint8], representatives: NDArray[np.int64], ranks: NDArray[np.int64]
) -> int:
    scopes, vectors = states.shape
    for scope in range(scopes):
        rank = ranks[min(scope, len(ranks) - 1)]
        for vector in range(vectors):
            if states[scope, vector] == 0:
                source = representatives[scope, vector]
                if not 0 <= source < vectors or states[scope, source] != 1 or rank[source] > rank[vector]:
                    return int(scope * vectors + vector)
    return -1
