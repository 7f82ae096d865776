"""What does a PE set do with its list of tasks, if every PE is stepped?"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mercuric.similarity.hitmap import HitState
from oracle.pe_set_stepper import (
    FilterResults,
    PESet,
    PipelinedPESet,
    PlainPESet,
    Window,
)


class Completed(Protocol):
    """What is complete in some cycle."""

    complete_in: int | None


@dataclass(frozen=True)
class SteppedScope:
    """The input vectors of one scope and their Hitmap.

    Attributes:
        vectors: (vectors, rows, elements).
        states: (vectors,).
        representatives: (vectors,).
        cache_sets: (vectors,), of their signatures; none where nobody queues.
        answered: told of each vector, in the order in which signatures are looked up.
    """

    vectors: Sequence[Window]
    states: Sequence[int]
    representatives: Sequence[int]
    cache_sets: Sequence[int] = ()
    answered: Callable[[int], None] = lambda _vector: None


@dataclass
class Load:
    """A filter, random or not, that PE sets work on at some time.

    Attributes:
        after: what must have left all PE sets, and which Hitmap must be complete.
    """

    weights: Window
    results: FilterResults
    after: list[Completed] = field(default_factory=list)


@dataclass
class Task:
    """A load on one PE set: ``unit`` is the set as it works on it, pipelined or not.

    An empty block takes no time, but waits for its turn and for what it comes after.
    """

    load: Load
    unit: PESet
    block: dict[int, Window]


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
            task = self.tasks.popleft()
            self._current = task.unit
            task.unit.load(task.block, task.load.weights, task.load.results)
        for unit in self.units.values():
            unit.step(cycle)

    def _may_begin(self, task: Task, cycle: int) -> bool:
        current = self._current
        free = current is None or (current.issued if current is task.unit else current.idle)
        return free and all(
            one.complete_in is not None and one.complete_in < cycle for one in task.load.after
        )


def loads_of(filters: Sequence[Window], results: Sequence[FilterResults]) -> list[Load]:
    """A load for each filter."""
    return [Load(weights, one) for weights, one in zip(filters, results, strict=True)]


def dense_results(scope: SteppedScope) -> FilterResults:
    """Where every vector of the scope is computed."""
    return FilterResults([int(HitState.MNU)] * len(scope.vectors), range(len(scope.vectors)))


def run(workers: Sequence[Worker], also: Callable[[int], None] = lambda _cycle: None) -> int:
    """Cycles until all tasks are done; RuntimeError where PE sets wait for each other for ever.

    Args:
        workers: each does a cycle.
        also: what happens after them in every cycle.
    """
    cycle = 0
    while not all(worker.done for worker in workers):
        cycle += 1
        if cycle > _PATIENCE:
            raise RuntimeError(f"PE sets still wait for each other after {_PATIENCE} cycles")
        for worker in workers:
            worker.step(cycle)
        also(cycle)
    return cycle


_PATIENCE = 100_000
