"""What does a PE set do with its list of tasks, if every PE is stepped?"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from mercuric.similarity.hitmap import HitState
from oracle.pe_set_stepper import (
    FilterResults,
    PESet,
    PipelinedPESet,
    PlainPESet,
    Window,
)


@dataclass(frozen=True)
class SteppedScope:
    """The input vectors of one scope and their Hitmap.

    Attributes:
        vectors: (vectors, rows, elements).
        states: (vectors,).
        representatives: (vectors,).
        waits: cycles that each PE set waits for insertion queues before its signatures.
        emptying: cycles after the last signature until the Hitmap is complete.
    """

    vectors: Sequence[Window]
    states: Sequence[int]
    representatives: Sequence[int]
    waits: int = 0
    emptying: int = 0


@dataclass
class Load:
    """A filter, random or not, that PE sets work on at some time.

    Attributes:
        after: what must have left all PE sets, and how many cycles ago.
        pause: cycles that a PE set waits before it begins.
    """

    weights: Window
    results: FilterResults
    after: list[tuple[FilterResults, int]] = field(default_factory=list)
    pause: int = 0


@dataclass
class Task:
    """A load on one PE set: ``unit`` is the set as it works on it, pipelined or not.

    An empty block takes no time, but waits for its turn and for what it comes after.
    """

    load: Load
    unit: PESet
    block: dict[int, Window]
    pause: int


class Worker:
    """A PE set with its list of tasks; pipelined and other dot products never overlap in it."""

    def __init__(self, rows: int, mac_unit: bool) -> None:
        self.units: dict[bool, PESet] = {True: PipelinedPESet(rows, mac_unit), False: PlainPESet(mac_unit)}
        self.tasks: deque[Task] = deque()
        self._current: PESet | None = None

    @property
    def done(self) -> bool:
        """Whether no task is left or under way."""
        return not self.tasks and all(unit.idle for unit in self.units.values())

    def step(self, cycle: int) -> None:
        """One cycle."""
        while self.tasks and self._may_begin(self.tasks[0], cycle):
            if self.tasks[0].pause:
                self.tasks[0].pause -= 1
                break
            task = self.tasks.popleft()
            self._current = task.unit
            task.unit.load(task.block, task.load.weights, task.load.results)
        for unit in self.units.values():
            unit.step(cycle)

    def _may_begin(self, task: Task, cycle: int) -> bool:
        current = self._current
        free = current is None or (current.issued if current is task.unit else current.idle)
        return free and all(
            results.complete_in is not None and results.complete_in + later < cycle
            for results, later in task.load.after
        )


def loads_of(filters: Sequence[Window], results: Sequence[FilterResults]) -> list[Load]:
    """A load for each filter."""
    return [Load(weights, one) for weights, one in zip(filters, results, strict=True)]


def dense_results(scope: SteppedScope) -> FilterResults:
    """Where every vector of the scope is computed."""
    return FilterResults([int(HitState.MNU)] * len(scope.vectors), range(len(scope.vectors)))


def run(workers: Sequence[Worker]) -> int:
    """Cycles until all tasks are done; RuntimeError where PE sets wait for each other for ever."""
    cycle = 0
    while not all(worker.done for worker in workers):
        cycle += 1
        if cycle > _PATIENCE:
            raise RuntimeError(f"PE sets still wait for each other after {_PATIENCE} cycles")
        for worker in workers:
            worker.step(cycle)
    return cycle


_PATIENCE = 100_000
