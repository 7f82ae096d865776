"""When is a scope's Hitmap complete where PE sets sign by themselves? (paper III-C1, V)

In the asynchronous design sets drift apart, so each brings its signatures when it has them: one an interval
in the last pass of its bits. Each goes to the queue of its cache set, which serves one request a cycle from
the cycle after. A signature whose queue is full waits in the Signature Table with those behind it, and its
set goes on. Of two scopes that are signed at a time, each has tags of its own.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class SignatureQueues:
    """The signatures of a layer, and what they go through.

    Attributes:
        cache_sets: int64, (scopes, vectors): where each goes, from 0; the vectors PE set by PE set.
        lengths: int64, (PE sets,): vectors of each set.
        interval: cycles between two signatures of a set.
        capacity: requests that a queue holds.
    """

    cache_sets: Counts
    lengths: Counts
    interval: int
    capacity: int

    def by_definition(self) -> "QueuesByDefinition":
        """The same queues, a request at a time."""
        return QueuesByDefinition(self)

    @property
    def asked(self) -> "Asked":
        """What :func:`complete_hitmap` takes, before the first scope."""
        sets, queues = len(self.lengths), int(self.cache_sets.max(initial=-1)) + 1
        vectors = int(self.lengths.sum())
        return Asked(
            self.cache_sets,
            self.lengths,
            self.interval,
            first=np.zeros((2, sets), np.int64),
            sent=np.zeros(sets, np.int64),
            signing=np.where(self.lengths > 0, 0, len(self.cache_sets)),
            places=np.zeros((queues, self.capacity), np.int64),
            level=np.zeros(queues, np.int64),
            left=np.array([vectors, vectors]),
            clock=np.zeros(2, np.int64),
        )


class Asked(NamedTuple):
    """Signatures and queues, and how far they are; changed in place.

    Attributes:
        cache_sets, lengths, interval: as in :class:`SignatureQueues`.
        first: int64, (2, PE sets): when each set has its first signature of the even and of the odd scope.
        sent: int64, (PE sets,): signatures that it has brought of the scope ``signing``.
        signing: int64, (PE sets,).
        places: int64, (queues, capacity): whether a request is of an even or of an odd scope.
        level: int64, (queues,): requests in each.
        left: int64, (2,): vectors of the even and of the odd scope that have no answer.
        clock: int64, (2,): the cycle, and requests in all queues.
    """

    cache_sets: Counts
    lengths: Counts
    interval: int
    first: Counts
    sent: Counts
    signing: Counts
    places: Counts
    level: Counts
    left: Counts
    clock: Counts


@dataclass
class QueuesByDefinition:
    """Queues that are stepped as far as one needs to know."""

    queues: SignatureQueues
    _now: int = 0
    _waiting: list[deque[tuple[int, int, int]]] = field(default_factory=list)
    _held: dict[int, deque[int]] = field(default_factory=lambda: defaultdict(deque))
    _left: list[int] = field(default_factory=list)

    def sign(self, left: list[int]) -> None:
        """The next scope's last signature leaves each PE set in cycle ``left``."""
        one, scope = self.queues, len(self._left)
        self._waiting = self._waiting or [deque() for _ in one.lengths]
        asked = iter(one.cache_sets[scope].tolist())
        for own, length, last in zip(self._waiting, one.lengths.tolist(), left, strict=True):
            comes = [last - behind * one.interval for behind in reversed(range(length))]
            own.extend((cycle, scope, next(asked)) for cycle in comes)
        self._left.append(one.cache_sets.shape[1])

    def complete(self, scope: int) -> int:
        """The cycle in which the scope's last signature is answered."""
        while self._left[scope]:
            self._now += 1
            for held in self._held.values():
                if held:
                    self._left[held.popleft()] -= 1
            for own in self._waiting:
                if own and own[0][0] <= self._now and len(self._held[own[0][2]]) < self.queues.capacity:
                    _, whose, cache_set = own.popleft()
                    self._held[cache_set].append(whose)
        return self._now


@njit(cache=True, nogil=True)
def sign(scope: int, asked: Asked, left: Counts) -> None:
    """The last signature of ``scope`` leaves each PE set in cycle ``left``."""
    for pe_set in range(len(left)):
        asked.first[scope % 2, pe_set] = left[pe_set] - (asked.lengths[pe_set] - 1) * asked.interval


@njit(cache=True, nogil=True)
def complete_hitmap(scope: int, asked: Asked) -> int:
    """The cycle in which the last signature of ``scope`` is answered; the next scope is signed as well."""
    odd, signed = scope % 2, min(scope + 2, len(asked.cache_sets))
    while asked.left[odd]:
        if not asked.clock[1]:
            asked.clock[0] = max(asked.clock[0], _next_comes(asked, signed) - 1)
        asked.clock[0] += 1
        _serve(asked)
        _take(asked, signed)
    asked.left[odd] = asked.lengths.sum()
    return int(asked.clock[0])


@njit(cache=True, nogil=True)
def _next_comes(asked: Asked, signed: int) -> int:
    """The cycle in which the next signature comes of the first ``signed`` scopes."""
    soonest = np.iinfo(np.int64).max
    for pe_set, own in enumerate(asked.signing):
        if own < signed:
            soonest = min(soonest, asked.first[own % 2, pe_set] + asked.sent[pe_set] * asked.interval)
    return soonest


@njit(cache=True, nogil=True)
def _serve(asked: Asked) -> None:
    """The head of every queue is answered."""
    for queue, level in enumerate(asked.level):
        if level:
            asked.left[asked.places[queue, 0]] -= 1
            asked.clock[1] -= 1
            asked.level[queue] -= 1
            for place in range(level - 1):
                asked.places[queue, place] = asked.places[queue, place + 1]


@njit(cache=True, nogil=True)
def _take(asked: Asked, signed: int) -> None:
    """Each PE set's next signature goes into its queue, if it has come and there is room."""
    start = 0
    for pe_set, length in enumerate(asked.lengths):
        own, sent = asked.signing[pe_set], asked.sent[pe_set]
        if own < signed and asked.first[own % 2, pe_set] + sent * asked.interval <= asked.clock[0]:
            queue = asked.cache_sets[own, start + sent]
            level = asked.level[queue]
            if level < asked.places.shape[1]:
                asked.places[queue, level] = own % 2
                asked.level[queue] += 1
                asked.clock[1] += 1
                asked.sent[pe_set] = (sent + 1) % length
                asked.signing[pe_set] += sent + 1 == length
        start += length
