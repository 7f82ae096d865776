"""How long do signatures wait for the queues of the MCACHE's sets? (paper V, MCACHE Design)

In the last pass of the signature phase of the synchronous design every PE set finishes a signature at the
same time. Each goes to the queue of its cache set, which serves one request a cycle; the array waits while a
queue is full, and at the end until all queues are empty.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mercuric.accelerator.dataflows.row_stationary.signature_queues import SignatureQueues


@dataclass(frozen=True)
class Queueing:
    """What queues add to the signature phase of each scope, in cycles.

    Attributes:
        waits: int64, (scopes,): the array waits for room in a queue.
        emptying: int64, (scopes,): from the last request's arrival until all queues are empty.
    """

    waits: NDArray[np.int64]
    emptying: NDArray[np.int64]

    @classmethod
    def of(cls, queues: SignatureQueues) -> "Queueing":
        """What the queues add where PE sets sign in step."""
        one, scopes = queues, len(queues.cache_sets)
        queued = cls(np.zeros(scopes, dtype=np.int64), np.zeros(scopes, dtype=np.int64))
        sets = int(one.cache_sets.max(initial=-1)) + 1
        _queueing(
            one.cache_sets, one.lengths, sets, one.interval, one.capacity, queued.waits, queued.emptying
        )
        return queued

    @classmethod
    def by_definition(cls, queues: SignatureQueues) -> "Queueing":
        """What :meth:`of` computes, by the requests that each cache set has before it."""
        lengths, interval, capacity = queues.lengths.tolist(), queues.interval, queues.capacity
        waits, emptying = [], []
        starts = [sum(lengths[:pe_set]) for pe_set in range(len(lengths))]
        for scope in queues.cache_sets.tolist():
            backlog = dict.fromkeys(scope, 0)
            waited = wait = 0
            for position in range(max(lengths, default=0)):
                served = interval + wait if position else 0
                backlog = {cache_set: max(0, held - served) for cache_set, held in backlog.items()}
                for start, length in zip(starts, lengths, strict=True):
                    if position < length:
                        backlog[scope[start + position]] += 1
                wait = max(0, max(backlog.values()) - capacity)
                waited += wait
            waits.append(waited)
            emptying.append(max(backlog.values(), default=0) - wait)
        return cls(np.array(waits, dtype=np.int64), np.array(emptying, dtype=np.int64))

    @property
    def stall(self) -> int:
        """Cycles over all scopes, where nothing else goes on meanwhile."""
        return int(self.waits.sum() + self.emptying.sum())


@njit(cache=True, nogil=True)
def _queueing(
    requests: NDArray[np.int64],
    lengths: NDArray[np.int64],
    sets: int,
    interval: int,
    capacity: int,
    waits: NDArray[np.int64],
    emptying: NDArray[np.int64],
) -> None:
    empty_at = np.zeros(sets, np.int64)
    longest = 0
    for length in lengths:
        longest = max(longest, length)
    for scope in range(len(requests)):
        empty_at[:] = 0
        now = wait = latest = 0
        for position in range(longest):
            now += interval + wait if position else 0
            full = start = 0
            for length in lengths:
                if position < length:
                    cache_set = requests[scope, start + position]
                    empty_at[cache_set] = max(empty_at[cache_set], now) + 1
                    full = max(full, empty_at[cache_set])
                start += length
            wait = max(0, full - now - capacity)
            waits[scope] += wait
            latest = max(latest, full)
        emptying[scope] = max(0, latest - now - wait)
