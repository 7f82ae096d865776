"""What does a PE set do in each cycle with its block of input vectors? (paper III-C1, Fig. 10)"""

from collections import deque
from collections.abc import Container, Sequence
from typing import Literal, Protocol

from mercuric.accelerator.hardware import LateHits
from mercuric.similarity.hitmap import HitState
from oracle.processing_element import PipelinedPE, PlainPE, Row

Window = Sequence[Row]


class FilterResults:
    """The results of one filter, the MCACHE's data and its valid-data (VD) bits among them.

    Args:
        states: the state of each vector of the scope.
        representatives: for each vector the one whose result it uses.
        late_hits: what a HIT does whose VD bit is not set in its turn.

    Attributes:
        early_hits: HITs read before their representative's result was there.
        begun_in: the cycle in which the first vector's result left; None before.
        complete_in: the cycle in which the last vector's result left; None before.
    """

    def __init__(
        self, states: Sequence[int], representatives: Sequence[int], late_hits: LateHits = "ready"
    ) -> None:
        self.states = states
        self._representatives = representatives
        self._late_hits = late_hits
        self._computed: dict[int, int] = {}
        self._cached: dict[int, int] = {}
        self._valid_in: dict[int, int] = {}
        self._left = 0
        self.early_hits = 0
        self.begun_in: int | None = None
        self.complete_in: int | None = None

    def turn(self, vector: int, block: Container[int], cycle: int) -> Literal["compute", "read", "wait"]:
        """What the PE set does with a vector whose turn it is; ``block`` are the set's own vectors."""
        if self.states[vector] != HitState.HIT:
            return "compute"
        source = self._representatives[vector]
        if self._late_hits == "ready" or source in block or self._is_valid(source, cycle):
            return "read"
        return "wait" if self._late_hits == "wait" else "compute"

    def compute(self, vector: int, result: int, cycle: int) -> None:
        """A dot product's result: keep it, and in the MCACHE too where the vector has an entry."""
        self._computed[vector] = result
        if self.states[vector] == HitState.MAU:
            self._cached[vector] = result
            self._valid_in[vector] = cycle
        self._leave(cycle)

    def reuse(self, vector: int, cycle: int) -> None:
        """A HIT: its result is the entry's, by :meth:`outputs` at the latest."""
        self.early_hits += not self._is_valid(self._representatives[vector], cycle)
        self._leave(cycle)

    def outputs(self) -> list[int]:
        """Every vector's result, once all PE sets are done with the filter.

        Raises:
            RuntimeError: the entry that a HIT reads never became valid.
        """
        outputs = []
        for vector, source in enumerate(self._representatives):
            if vector in self._computed:
                outputs.append(self._computed[vector])
            elif source in self._cached:
                outputs.append(self._cached[source])
            else:
                raise RuntimeError(
                    f"vector {vector} hit the entry of vector {source}, which never became valid"
                )
        return outputs

    def _is_valid(self, source: int, cycle: int) -> bool:
        return self._valid_in.get(source, cycle) < cycle

    def _leave(self, cycle: int) -> None:
        self.begun_in = cycle if self.begun_in is None else self.begun_in
        self._left += 1
        if self._left == len(self.states):
            self.complete_in = cycle


class PESet(Protocol):
    """PEs that make one dot product together."""

    def load(self, block: dict[int, Window], weights: Window, results: FilterResults) -> None:
        """Begin a filter on a block of numbered input vectors."""

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

    def __init__(self, mac_unit: bool = False) -> None:
        self._mac_unit = mac_unit
        self._waiting: deque[int] = deque()
        self._pes: list[PlainPE] = []
        self._vector = 0

    def load(self, block: dict[int, Window], weights: Window, results: FilterResults) -> None:
        self._block, self._weights, self._results = block, weights, results
        self._waiting.extend(block)

    @property
    def issued(self) -> bool:
        return self.idle

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._pes

    def step(self, cycle: int) -> None:
        if not self._pes and self._waiting:
            turn = self._results.turn(self._waiting[0], self._block, cycle)
            if turn == "wait":
                return
            vector = self._waiting.popleft()
            if turn == "read":
                self._results.reuse(vector, cycle)
                return
            self._start(vector)
        for pe in reversed(self._pes):
            pe.step(cycle)
        if self._pes and (total := self._pes[-1].total) is not None:
            self._results.compute(self._vector, total, cycle)
            self._pes = []

    def _start(self, vector: int) -> None:
        self._vector = vector
        above: PlainPE | None = None
        for row, weights in zip(self._block[vector], self._weights, strict=True):
            above = PlainPE(row, weights, above, self._mac_unit)
            self._pes.append(above)


class PipelinedPESet:
    """A PE set that overlaps dot products (Fig. 8b).

    A HIT takes its turn of one cycle at the first PE, and results leave in the vectors' order, at
    most one a cycle: a HIT behind a miss leaves right after it. While a HIT waits for its turn, what
    is under way goes on.
    """

    def __init__(self, rows: int, mac_unit: bool = False) -> None:
        self._waiting: deque[int] = deque()
        self._leaving: deque[tuple[int, bool, FilterResults]] = deque()
        self._pes: list[PipelinedPE] = []
        for index in range(rows):
            self._pes.append(PipelinedPE(index, self._pes[-1] if self._pes else None, mac_unit))

    def load(self, block: dict[int, Window], weights: Window, results: FilterResults) -> None:
        self._block, self._weights, self._results = block, weights, results
        self._waiting.extend(block)

    @property
    def issued(self) -> bool:
        return not self._waiting and not self._pes[0].multiplying

    @property
    def idle(self) -> bool:
        return self.issued and not self._leaving

    def step(self, cycle: int) -> None:
        start = self._start(cycle)
        for pe in reversed(self._pes):
            pe.step(cycle, start)
        self._leave(cycle)

    def _start(self, cycle: int) -> tuple[Window, Window] | None:
        if not self._waiting or self._pes[0].multiplying:
            return None
        turn = self._results.turn(self._waiting[0], self._block, cycle)
        if turn == "wait":
            return None
        vector = self._waiting.popleft()
        self._leaving.append((vector, turn == "compute", self._results))
        return (self._block[vector], self._weights) if turn == "compute" else None

    def _leave(self, cycle: int) -> None:
        total = self._pes[-1].passed
        vector, computes, results = self._leaving[0] if self._leaving else (-1, False, None)
        if total is not None:
            if results is None or not computes:
                raise RuntimeError(f"a result left in cycle {cycle} before those of earlier vectors")
            results.compute(vector, total, cycle)
        elif results is not None and not computes:
            results.reuse(vector, cycle)
        else:
            return
        self._leaving.popleft()
