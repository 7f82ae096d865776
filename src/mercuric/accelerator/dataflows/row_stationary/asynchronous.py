"""How many cycles does a product take where PE sets do not wait for each other after each filter?

The asynchronous design (paper III-C1, Fig. 11). PE set p takes its tasks in this order: signatures of
scope 0; then, for each scope, signatures of the scope after it (the second input buffer) and the
products of the scope with one filter after the other. A product task starts once every set has finished

- the signatures of its scope (the Hitmap is complete), and
- the product task that had its filter buffer, ``versions`` product tasks before.

A product task is of one filter, or of those in flight together.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mercuric.accelerator.dataflows.dot_product import Pace
from mercuric.accelerator.dataflows.row_stationary.late_hits import Turns, take_turns
from mercuric.accelerator.dataflows.row_stationary.miss_queue import take_from_queue, take_queue_turns
from mercuric.accelerator.dataflows.row_stationary.signature_queues import (
    SignatureQueues,
    complete_hitmap,
)


@dataclass(frozen=True)
class AsynchronousProduct:
    """One product of a layer with reuse.

    Attributes:
        misses: int64, (scopes, PE sets): dot products that each set computes for a filter; a row is of
            several scopes where these are side by side.
        lengths: int64, (PE sets,), or as ``misses``: vectors of each set.
        filters: of a scope, one after the other; or tasks of some filters each.
        versions: filter buffers, or tasks that have buffers.
        pace: of the dot products.
        last: misses and lengths of each scope's last task, where it has fewer filters than the others.
        queued: whether sets take the pairs of a task from a queue; misses and lengths then add up to these.
    """

    misses: NDArray[np.int64]
    lengths: NDArray[np.int64]
    filters: int
    versions: int
    pace: Pace
    last: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    queued: bool = False

    def cycles(
        self,
        signatures: NDArray[np.int64] | None = None,
        signature: Pace = Pace(0, 0),  # noqa: B008 - frozen
        queues: SignatureQueues | None = None,
        turns: Turns | None = None,
    ) -> int:
        """Cycles until the last result of the last scope has left.

        Args:
            signatures: int64, (PE sets,), or as ``misses``: signature bits that each set computes in a
                scope; None where a saved Hitmap is used.
            signature: pace of the signature bits.
            queues: what the signatures wait in before a Hitmap is complete; None: nothing.
            turns: how HITs wait for results; None: they are taken as ready.
        """
        scopes = len(self.misses)
        signing = self._whole(self.lengths * 0 if signatures is None else signatures) * signature.interval
        late, asked = turns or _READY, queues or _NO_QUEUES
        last = late.last or late
        misses, lengths = self._kinds
        return int(
            _total(
                misses, lengths, self.filters, self.queued,
                min(self.versions, max(1, scopes * self.filters)), self.pace.interval, self.pace.drain,
                signing, signature.drain, queues is not None, asked.cache_sets, asked.lengths, asked.interval,
                asked.capacity, np.zeros(asked.number, np.int64),
                turns is not None,
                late.states, late.representatives, late.owners, last.owners, late.members, late.order,
                late.recompute, (late.queue or (0, 0))[0], (last.queue or (0, 0))[0],
            )
        )  # fmt: skip

    @property
    def _kinds(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Misses and lengths of a scope's tasks, and of its last one: int64, (2, scopes, PE sets) each."""
        misses, lengths = self.last or (self.misses, self.lengths)
        both = self._whole(self.lengths), self._whole(lengths)
        return np.stack([self.misses, misses]), np.stack(both)

    def _whole(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.ascontiguousarray(np.broadcast_to(counts, self.misses.shape))

    def by_definition(
        self,
        signatures: NDArray[np.int64],
        signature: Pace,
        queues: SignatureQueues | None = None,
        turns: Turns | None = None,
    ) -> tuple[int, list[list[int]]]:
        """What :meth:`cycles` computes, a task at a time; and each scope's vectors as they enter the queues.

        Of what enters in one cycle the first PE set's is first. A scope's order has to do with the Hitmaps
        of scopes two and more before it, for sets sign a scope ahead; without queues there is none.
        """
        scopes, sets = len(self.misses), range(self.misses.shape[1])
        (misses_of, lengths_of), signing = self._kinds, self._whole(signatures)
        free, left = [0 for _ in sets], [0 for _ in sets]
        hitmaps: list[int] = []
        orders: list[list[int]] = []
        finished: list[int] = []

        def begin(pace: Pace) -> list[int]:
            return free if pace.drain else left

        def sign(scope: int) -> None:
            signers = [p for p in sets if signing[scope, p]]
            for p in signers:
                free[p] = begin(signature)[p] + int(signing[scope, p]) * signature.interval
                left[p] = free[p] + signature.drain
            complete = max((left[p] for p in signers), default=0)
            if queues:
                order, complete = queues.arrival_by_definition(scope, left, hitmaps[-1] if hitmaps else 0)
                orders.append(order)
            hitmaps.append(complete)

        def multiply(scope: int, last: bool) -> None:
            buffer = finished[-self.versions] if len(finished) >= self.versions else 0
            starts = [max(begin(self.pace)[p], hitmaps[scope], buffer) for p in sets]
            left[:] = map(max, left, starts)
            misses, pairs = misses_of[int(last)][scope].tolist(), lengths_of[int(last)][scope].tolist()
            if turns is not None:
                now = (turns.last or turns) if last else turns
                ends = now.one_task(scope, self.pace, starts, left)
            else:
                if self.queued:
                    misses, pairs = _taken(sum(misses), sum(pairs), starts, self.pace)
                ends = self._all_ready(misses, pairs, starts, left)
            free[:], left[:] = ends
            finished.append(max((left[p] for p in sets if free[p] > starts[p]), default=0))

        for scope in range(-1, scopes):
            if scope + 1 < scopes:
                sign(scope + 1)
            for task in range(self.filters if scope >= 0 else 0):
                multiply(scope, task == self.filters - 1)
        return max([*left, *hitmaps], default=0), orders

    def _all_ready(
        self, misses: list[int], pairs: list[int], starts: list[int], left: list[int]
    ) -> tuple[list[int], list[int]]:
        """When each set has issued its last dot product of a task, and when its last result has left."""
        ends = [
            start + computed * self.pace.interval + dealt - computed
            for start, computed, dealt in zip(starts, misses, pairs, strict=True)
        ]
        results = [
            end + self.pace.drain if computed else before + dealt
            for end, computed, before, dealt in zip(ends, misses, left, pairs, strict=True)
        ]
        return ends, results


def _taken(misses: int, pairs: int, starts: list[int], pace: Pace) -> tuple[list[int], list[int]]:
    """Misses and pairs that each set takes from a queue: the next goes to whichever is free first."""
    free, computed, taken = list(starts), [0 for _ in starts], [0 for _ in starts]
    for pair in range(pairs):
        own = min(range(len(free)), key=free.__getitem__)
        free[own] += pace.interval if pair < misses else 1
        computed[own] += pair < misses
        taken[own] += 1
    return computed, taken


_NONE = np.zeros(0, np.int64)
_NO_QUEUES = SignatureQueues(np.zeros((0, 0), np.int64), _NONE, 1, 1)
_READY = Turns(
    np.zeros((1, 0), np.uint8), np.zeros((1, 0), np.int64), _NONE, np.zeros((1, 1), np.int64),
    np.zeros((1, 0), np.int64), recompute=False,
)  # fmt: skip


@njit(cache=True, nogil=True)
def _total(
    misses: NDArray[np.int64],
    lengths: NDArray[np.int64],
    filters: int,
    queued: bool,
    versions: int,
    interval: int,
    drain: int,
    signing: NDArray[np.int64],
    signature_drain: int,
    queues: bool,
    cache_sets: NDArray[np.int64],
    asked_lengths: NDArray[np.int64],
    asked_interval: int,
    capacity: int,
    level: NDArray[np.int64],
    late: bool,
    states: NDArray[np.uint8],
    representatives: NDArray[np.int64],
    owners: NDArray[np.int64],
    last_owners: NDArray[np.int64],
    members: NDArray[np.int64],
    order: NDArray[np.int64],
    recompute: bool,
    in_flight: int,
    last_in_flight: int,
) -> int:
    _, scopes, sets = misses.shape
    free, left, taken = np.zeros(sets, np.int64), np.zeros(sets, np.int64), np.zeros(sets, np.int64)
    results = np.zeros(order.shape[1] * max(1, in_flight), np.int64)
    finished = np.zeros(versions, np.int64)  # of the task that had each filter buffer last
    task = hitmap = next_hitmap = 0
    for scope in range(-1, scopes):
        hitmap = max(hitmap, next_hitmap)
        for pe_set in range(sets if scope + 1 < scopes else 0):
            if signing[scope + 1, pe_set]:
                start = free[pe_set] if signature_drain else left[pe_set]
                free[pe_set] = start + signing[scope + 1, pe_set]
                left[pe_set] = free[pe_set] + signature_drain
                next_hitmap = max(next_hitmap, left[pe_set])
        if queues and scope + 1 < scopes:
            next_hitmap = complete_hitmap(
                cache_sets[scope + 1], asked_lengths, asked_interval, capacity, left, hitmap, level
            )
        for number in range(filters if scope >= 0 else 0):
            gate = max(hitmap, finished[task % versions])
            kind = 1 if number == filters - 1 else 0
            for pe_set in range(sets):
                free[pe_set] = max(free[pe_set] if drain else left[pe_set], gate)
                left[pe_set] = max(left[pe_set], free[pe_set])
                taken[pe_set] = 0 if queued else lengths[kind, scope, pe_set]
            if queued and late:
                take_queue_turns(
                    states[scope], representatives[scope], last_in_flight if kind else in_flight, recompute,
                    interval, drain, free, left, results, taken,
                )  # fmt: skip
            elif queued:
                computed = misses[kind, scope].sum()
                hits = lengths[kind, scope].sum() - computed
                take_from_queue(computed, hits, interval, drain, free, left, taken)
            elif late:
                each = sets // members.shape[1]
                for place in range(members.shape[1]):
                    one, own = members[scope, place], slice(place * each, (place + 1) * each)
                    if one >= 0:
                        take_turns(
                            states[one], representatives[one], last_owners if kind else owners,
                            order[min(one, len(order) - 1)], recompute, interval, drain, free[own],
                            left[own], results,
                        )  # fmt: skip
            else:
                _take_all(misses[kind, scope], lengths[kind, scope], interval, drain, free, left)
            done = 0
            for pe_set in range(sets):
                if taken[pe_set]:
                    done = max(done, left[pe_set])
            finished[task % versions] = done
            task += 1
    total = hitmap
    for pe_set in range(sets):
        total = max(total, left[pe_set])
    return total


@njit(cache=True, nogil=True)
def _take_all(
    misses: NDArray[np.int64],
    lengths: NDArray[np.int64],
    interval: int,
    drain: int,
    free: NDArray[np.int64],
    left: NDArray[np.int64],
) -> None:
    for pe_set in range(len(lengths)):
        hits = lengths[pe_set] - misses[pe_set]
        free[pe_set] += misses[pe_set] * interval + hits
        left[pe_set] = free[pe_set] + drain if misses[pe_set] else left[pe_set] + hits
