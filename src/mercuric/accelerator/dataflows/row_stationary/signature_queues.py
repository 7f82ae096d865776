"""When is a scope's Hitmap complete where PE sets sign by themselves? (paper III-C1, V)

In the asynchronous design sets drift apart, so each brings its signatures when it has them: one an interval
in the last pass of its bits. Each goes to the queue of its cache set, which serves one request a cycle from
the cycle after. A signature whose queue is full waits in the Signature Table with those behind it, and its
set goes on. The MCACHE has tags for one scope: who is ahead waits until the Hitmap before is complete.
"""

from collections import defaultdict
from dataclasses import dataclass

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

    @property
    def number(self) -> int:
        """Queues, one a cache set."""
        return int(self.cache_sets.max(initial=-1)) + 1

    def arrival_by_definition(self, scope: int, left: list[int], before: int) -> tuple[list[int], int]:
        """The vectors as they enter the queues, and what :func:`complete_hitmap` computes."""
        asked = self.cache_sets[scope].tolist()
        vectors, order = iter(range(len(asked))), list[int]()
        coming = [
            [(last - behind * self.interval, next(vectors)) for behind in reversed(range(length))]
            for length, last in zip(self.lengths.tolist(), left, strict=True)
        ]
        held: dict[int, int] = defaultdict(int)
        now = before
        while any(coming) or any(held.values()):
            for own in coming:
                if own and own[0][0] <= now and held[asked[own[0][1]]] < self.capacity:
                    order.append(own.pop(0)[1])
                    held[asked[order[-1]]] += 1
            if any(coming) or any(held.values()):
                now += 1
            held = defaultdict(int, {queue: max(0, level - 1) for queue, level in held.items()})
        return order, now


@njit(cache=True, nogil=True)
def complete_hitmap(
    cache_sets: Counts,
    lengths: Counts,
    interval: int,
    capacity: int,
    left: Counts,
    before: int,
    level: Counts,
) -> int:
    """The cycle in which a scope's last signature is answered.

    Args:
        cache_sets: int64, (vectors,): where each goes, PE set by PE set.
        lengths: int64, (PE sets,).
        interval: cycles between two signatures of a set.
        capacity: requests that a queue holds.
        left: int64, (PE sets,): when each set has its last signature.
        before: when the Hitmap of the scope before was complete: from then on signatures are taken.
        level: int64, (queues,), zeros: room for the requests in each.
    """
    now, to_come, waiting = before, len(cache_sets), 0
    sent = np.zeros(len(lengths), np.int64)
    while to_come or waiting:
        if not waiting:
            now = max(now, _soonest(lengths, interval, left, sent))
        start = 0
        for pe_set, length in enumerate(lengths):
            comes = left[pe_set] - (length - 1 - sent[pe_set]) * interval
            if sent[pe_set] < length and comes <= now:
                queue = cache_sets[start + sent[pe_set]]
                if level[queue] < capacity:
                    level[queue] += 1
                    sent[pe_set] += 1
                    to_come -= 1
                    waiting += 1
            start += length
        now += 1
        for queue, held in enumerate(level):
            if held:
                level[queue] -= 1
                waiting -= 1
    return now


@njit(cache=True, nogil=True)
def _soonest(lengths: Counts, interval: int, left: Counts, sent: Counts) -> int:
    """When the next signature comes."""
    soonest = np.iinfo(np.int64).max
    for pe_set, length in enumerate(lengths):
        if sent[pe_set] < length:
            soonest = min(soonest, left[pe_set] - (length - 1 - sent[pe_set]) * interval)
    return soonest
