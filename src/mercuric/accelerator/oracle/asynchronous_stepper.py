"""How many cycles do all scopes take on the asynchronous design, if every PE is stepped?

Paper III-C1 and Fig. 11. The oracle of ``asynchronous.py``: each PE set goes through its own list of
tasks, and looks at what the others have finished. Nothing is shared with the recurrence.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from mercuric.accelerator.hardware import LateHits
from mercuric.accelerator.oracle.pe_set_stepper import (
    FilterResults,
    PESet,
    PipelinedPESet,
    PlainPESet,
    Window,
)
from mercuric.accelerator.oracle.stepper import Array, Stepped, deal, window_rows
from mercuric.similarity.hitmap import HitState


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
class _Load:
    """A filter, random or not, that all PE sets work on at some time.

    Attributes:
        after: what must have left all PE sets, and how many cycles ago.
        pause: cycles that a PE set waits before it begins.
    """

    weights: Window
    results: FilterResults
    after: list[tuple[FilterResults, int]] = field(default_factory=list)
    pause: int = 0


@dataclass
class _Task:
    """A load on one PE set: ``unit`` is the set as it works on it, pipelined or not."""

    load: _Load
    unit: PESet
    block: dict[int, Window]
    pause: int


class _Worker:
    """A PE set with its list of tasks; pipelined and other dot products never overlap in it."""

    def __init__(self, rows: int, mac_unit: bool) -> None:
        self.units: dict[bool, PESet] = {True: PipelinedPESet(rows, mac_unit), False: PlainPESet(mac_unit)}
        self.tasks: deque[_Task] = deque()
        self._current: PESet | None = None

    @property
    def done(self) -> bool:
        return not self.tasks and all(unit.idle for unit in self.units.values())

    def step(self, cycle: int) -> None:
        if self.tasks and self._may_begin(self.tasks[0], cycle):
            if self.tasks[0].pause:
                self.tasks[0].pause -= 1
            else:
                task = self.tasks.popleft()
                self._current = task.unit
                task.unit.load(task.block, task.load.weights, task.load.results)
        for unit in self.units.values():
            unit.step(cycle)

    def _may_begin(self, task: _Task, cycle: int) -> bool:
        current = self._current
        free = current is None or (current.issued if current is task.unit else current.idle)
        return free and all(
            results.complete_in is not None and results.complete_in + later < cycle
            for results, later in task.load.after
        )


def step_asynchronous(
    scopes: Sequence[SteppedScope],
    filters: Sequence[Window],
    random_filters: Sequence[Window],
    array: Array,
    *,
    pipelined_signatures: bool,
    versions: int,
    late_hits: LateHits = "ready",
) -> Stepped:
    """All scopes on PE sets that go on to the next task by themselves.

    Args:
        scopes: at least one vector each; all of one shape.
        filters: (filters, rows, elements), for every scope.
        random_filters: one a signature bit; none where a saved Hitmap is used.
        array: what is stepped; ``pipelined`` is said of products.
        pipelined_signatures: Fig. 8b instead of Fig. 8a for signature bits.
        versions: filter buffers.
        late_hits: what a HIT does whose result is not there in its turn.

    Raises:
        RuntimeError: a HIT's representative has no entry, or PE sets wait for each other for ever.
    """
    windows = [*filters, *random_filters, *(vector for scope in scopes for vector in scope.vectors)]
    signatures = [[_dense_results(scope) for _ in random_filters] for scope in scopes]
    products = [[FilterResults(s.states, s.representatives, late_hits) for _ in filters] for s in scopes]
    in_order = [results for scope in products for results in scope]
    workers = [_Worker(window_rows(windows), array.mac_unit) for _ in range(array.sets)]
    for scope in range(-1, len(scopes)):
        if scope + 1 < len(scopes):
            loads = _loads(random_filters, signatures[scope + 1])
            for load in loads[:1]:
                load.pause = scopes[scope + 1].waits
            _hand_out(loads, scopes[scope + 1], workers, pipelined_signatures)
        if scope >= 0:
            loads = _loads(filters, products[scope])
            for task, load in enumerate(loads, start=scope * len(filters)):
                load.after += [(results, scopes[scope].emptying) for results in signatures[scope]]
                if task >= versions:
                    load.after.append((in_order[task - versions], 0))
            _hand_out(loads, scopes[scope], workers, array.pipelined)
    return Stepped(_run(workers), [one.outputs() for one in in_order], sum(r.early_hits for r in in_order))


def _loads(filters: Sequence[Window], results: Sequence[FilterResults]) -> list[_Load]:
    return [_Load(weights, one) for weights, one in zip(filters, results, strict=True)]


def _dense_results(scope: SteppedScope) -> FilterResults:
    return FilterResults([int(HitState.MNU)] * len(scope.vectors), range(len(scope.vectors)))


def _hand_out(
    loads: Sequence[_Load], scope: SteppedScope, workers: Sequence[_Worker], pipelined: bool
) -> None:
    for worker, block in zip(workers, deal(scope.vectors, len(workers)), strict=True):
        if block:
            worker.tasks.extend(_Task(load, worker.units[pipelined], block, load.pause) for load in loads)


def _run(workers: Sequence[_Worker]) -> int:
    cycle = 0
    while not all(worker.done for worker in workers):
        cycle += 1
        if cycle > _PATIENCE:
            raise RuntimeError(f"PE sets still wait for each other after {_PATIENCE} cycles")
        for worker in workers:
            worker.step(cycle)
    return cycle


_PATIENCE = 100_000
