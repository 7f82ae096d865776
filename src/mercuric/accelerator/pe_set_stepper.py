"""What does a PE set do in each cycle with its block of input vectors? (paper III-C1, Fig. 10)"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from mercuric.accelerator.processing_element import PipelinedPE, PlainPE, Row
from mercuric.similarity.hitmap import HitState

Window = Sequence[Row]


class FilterResults:
    """The results of one filter, the MCACHE's data and its valid-data (VD) bits among them.

    Args:
        states: the state of each vector of the scope.
        representatives: for each vector the one whose result it uses.

    Attributes:
        early_hits: HITs read before their representative's result was there.
    """

    def __init__(self, states: Sequence[int], representatives: Sequence[int]) -> None:
        self.states = states
        self._representatives = representatives
        self._computed: dict[int, int] = {}
        self._cached: dict[int, int] = {}
        self.early_hits = 0

    def compute(self, vector: int, result: int) -> None:
        """A miss: keep the result, and in the MCACHE too where the vector has an entry."""
        self._computed[vector] = result
        if self.states[vector] == HitState.MAU:
            self._cached[vector] = result

    def reuse(self, vector: int) -> None:
        """A HIT: its result is the entry's, by :meth:`outputs` at the latest."""
        self.early_hits += self._representatives[vector] not in self._cached

    def outputs(self) -> list[int]:
        """Every vector's result, once all PE sets are done with the filter.

        Raises:
            RuntimeError: the entry that a HIT reads never became valid.
        """
        outputs = []
        for vector, state in enumerate(self.states):
            source = self._representatives[vector]
            if state != HitState.HIT:
                outputs.append(self._computed[vector])
            elif source in self._cached:
                outputs.append(self._cached[source])
            else:
                raise RuntimeError(
                    f"vector {vector} hit the entry of vector {source}, which never became valid"
                )
        return outputs


class PESet(Protocol):
    """PEs that make one dot product together, with their block of input vectors."""

    def load(self, weights: Window, results: FilterResults) -> None:
        """Begin a filter."""

    def step(self, cycle: int) -> None:
        """Do one cycle."""

    @property
    def issued(self) -> bool:
        """Whether the filter's last multiplication is done."""

    @property
    def idle(self) -> bool:
        """Whether all results have left (the busy bit is 0)."""


class PlainPESet:
    """A PE set that finishes a dot product before it starts the next (Fig. 8a)."""

    def __init__(self, block: dict[int, Window]) -> None:
        self._block = block
        self._waiting: deque[int] = deque()
        self._pes: list[PlainPE] = []
        self._vector = 0

    def load(self, weights: Window, results: FilterResults) -> None:
        self._weights, self._results = weights, results
        self._waiting.extend(self._block)

    @property
    def issued(self) -> bool:
        return self.idle

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._pes

    def step(self, cycle: int) -> None:
        if not self._pes and self._waiting:
            vector = self._waiting.popleft()
            if self._results.states[vector] == HitState.HIT:
                self._results.reuse(vector)
                return
            self._start(vector)
        for pe in reversed(self._pes):
            pe.step(cycle)
        if self._pes and (total := self._pes[-1].total) is not None:
            self._results.compute(self._vector, total)
            self._pes = []

    def _start(self, vector: int) -> None:
        self._vector = vector
        above: PlainPE | None = None
        for row, weights in zip(self._block[vector], self._weights, strict=True):
            above = PlainPE(row, weights, above)
            self._pes.append(above)


class PipelinedPESet:
    """A PE set that overlaps dot products (Fig. 8b).

    A HIT takes its turn of one cycle at the first PE, and results leave in the vectors' order, at
    most one a cycle: a HIT behind a miss leaves right after it.
    """

    def __init__(self, block: dict[int, Window], rows: int) -> None:
        self._block = block
        self._waiting: deque[int] = deque()
        self._leaving: deque[tuple[int, FilterResults]] = deque()
        self._pes: list[PipelinedPE] = []
        for index in range(rows):
            self._pes.append(PipelinedPE(index, self._pes[-1] if self._pes else None))

    def load(self, weights: Window, results: FilterResults) -> None:
        self._weights, self._results = weights, results
        self._waiting.extend(self._block)

    @property
    def issued(self) -> bool:
        return not self._waiting and not self._pes[0].multiplying

    @property
    def idle(self) -> bool:
        return self.issued and not self._leaving

    def step(self, cycle: int) -> None:
        start = None
        if self._waiting and not self._pes[0].multiplying:
            vector = self._waiting.popleft()
            self._leaving.append((vector, self._results))
            if self._results.states[vector] != HitState.HIT:
                start = self._block[vector], self._weights
        for pe in reversed(self._pes):
            pe.step(cycle, start)
        self._leave(cycle)

    def _leave(self, cycle: int) -> None:
        total = self._pes[-1].passed
        head_hits = False
        if self._leaving:
            vector, results = self._leaving[0]
            head_hits = results.states[vector] == HitState.HIT
        if total is not None:
            if head_hits or not self._leaving:
                raise RuntimeError(f"a result left in cycle {cycle} before those of earlier vectors")
            results.compute(vector, total)
        elif head_hits:
            results.reuse(vector)
        else:
            return
        self._leaving.popleft()
