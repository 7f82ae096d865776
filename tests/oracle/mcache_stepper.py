"""When is a scope's Hitmap complete, if every signature comes to its queue by itself? (paper III-B3, V)"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence

from mercuric.similarity.hitmap import HitState
from oracle.pe_set_stepper import FilterResults


class SteppedHitmap:
    """The Hitmap of a scope.

    Args:
        cache_sets: (vectors,): where each signature goes.
        answered: told of each vector, in the order in which signatures are looked up.

    Attributes:
        complete_in: the cycle in which the last vector was answered; None before.
    """

    def __init__(self, cache_sets: Sequence[int], answered: Callable[[int], None]) -> None:
        self.cache_sets, self.left, self._answered = cache_sets, len(cache_sets), answered
        self.complete_in: int | None = None

    def answer(self, vector: int, cycle: int) -> None:
        self._answered(vector)
        self.left -= 1
        if not self.left:
            self.complete_in = cycle


class SignatureBits(FilterResults):
    """Results of a random filter: a bit of each vector's signature."""

    def __init__(self, vectors: int, came: Callable[[int], None]) -> None:
        super().__init__([int(HitState.MNU)] * vectors, range(vectors))
        self._came = came

    def compute(self, vector: int, result: int, cycle: int) -> None:
        super().compute(vector, result, cycle)
        self._came(vector)


class SteppedMCache:
    """A queue for each cache set; each PE set brings its signatures in their order, one a cycle.

    A signature whose queue is full waits in the Signature Table, and the PE set goes on. So does one of a
    later scope than that whose tags the MCACHE has.

    Args:
        hitmaps: of the scopes, in their order.
        blocks: the vectors of each PE set.
        capacity: requests that a queue holds.
    """

    def __init__(
        self,
        hitmaps: Sequence[SteppedHitmap],
        blocks: Iterable[Iterable[int]],
        capacity: int,
    ) -> None:
        self._hitmaps, self._capacity = hitmaps, capacity
        self._brought: list[deque[tuple[int, int]]] = []
        self._owner: dict[int, deque[tuple[int, int]]] = {}
        for block in blocks:
            own: deque[tuple[int, int]] = deque()
            self._brought.append(own)
            self._owner |= dict.fromkeys(block, own)
        self._queues: dict[int, deque[tuple[int, int]]] = defaultdict(deque)

    def signatures(self, scope: int, bits: int) -> list[SignatureBits]:
        """What the random filters' results of a scope are for."""
        vectors = len(self._hitmaps[scope].cache_sets)
        missing = [bits] * vectors

        def came(vector: int) -> None:
            missing[vector] -= 1
            if not missing[vector]:
                self._owner[vector].append((scope, vector))

        return [SignatureBits(vectors, came) for _ in range(bits)]

    def step(self, cycle: int) -> None:
        """One cycle, after that of the PE sets: each queue is served, then takes who comes."""
        for queue in self._queues.values():
            if queue:
                scope, vector = queue.popleft()
                self._hitmaps[scope].answer(vector, cycle)
        oldest = next((s for s, one in enumerate(self._hitmaps) if one.complete_in is None), 0)
        for brought in self._brought:
            if not brought or brought[0][0] > oldest:
                continue
            scope, vector = brought[0]
            queue = self._queues[self._hitmaps[scope].cache_sets[vector]]
            if len(queue) < self._capacity:
                queue.append(brought.popleft())
