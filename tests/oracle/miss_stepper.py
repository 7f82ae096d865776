"""How many cycles do misses and HITs take that PE sets take from a queue, if every PE is stepped?

The oracle of ``dealing="misses"``: pairs stand in a list, and in each cycle every set whose first PE is free
takes the one in front. Nothing is shared with the closed forms.
"""

from collections import deque
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mercuric.accelerator.hardware import Design, LateHits
from mercuric.similarity.hitmap import HitState
from oracle.pe_set_stepper import FilterResults, Window
from oracle.product_stepper import SteppedProducts
from oracle.stepper import Array, deal, window_rows
from oracle.worker import Load, SteppedScope, Task, Worker, dense_results, run


class OwnView:
    """A filter's results as one PE set sees them: what it took itself is ready for it."""

    def __init__(self, results: FilterResults, own: Container[int]) -> None:
        self._results, self._own = results, own

    def turn(self, vector: int, _block: Container[int], cycle: int) -> Literal["compute", "read", "wait"]:
        return self._results.turn(vector, self._own, cycle)

    def compute(self, vector: int, result: int, cycle: int) -> None:
        self._results.compute(vector, result, cycle)

    def reuse(self, vector: int, cycle: int) -> None:
        self._results.reuse(vector, cycle)


@dataclass
class Queue:
    """Pairs of filters in flight and the vectors of a scope: misses first, then HITs, vector by vector.

    Attributes:
        after: what must have left all PE sets before anybody takes one.
    """

    scope: SteppedScope
    weights: Sequence[Window]
    results: Sequence[FilterResults]
    after: Sequence[FilterResults] = ()
    pairs: deque[tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        hits = [state == HitState.HIT for state in self.scope.states]
        numbered = range(len(hits))
        line = [*(v for v in numbered if not hits[v]), *(v for v in numbered if hits[v])]
        self.pairs = deque((vector, filter_) for vector in line for filter_ in range(len(self.weights)))

    def opened(self, cycle: int) -> bool:
        return all(one.complete_in is not None and one.complete_in < cycle for one in self.after)


class Taker(Worker):
    """A PE set whose list holds tasks of its own (signatures) and queues that it shares."""

    def __init__(self, rows: int, mac_unit: bool, pipelined: bool) -> None:
        super().__init__(rows, mac_unit)
        self.agenda: deque[Task | Queue] = deque()
        self._product, self._taken = self.units[pipelined], dict[int, set[int]]()

    @property
    def done(self) -> bool:
        left = any(isinstance(one, Task) or one.pairs for one in self.agenda)
        return not left and super().done

    def step(self, cycle: int) -> None:
        while self.agenda and not self.tasks:
            if isinstance(self.agenda[0], Task):
                self.tasks.append(self.agenda.popleft())
                break
            if not self._take(self.agenda[0], cycle):
                break
            self.agenda.popleft()
        super().step(cycle)

    def _take(self, queue: Queue, cycle: int) -> bool:
        """Takes the pair in front, if it may; whether nothing is left of the queue."""
        free = self._current is None or (
            self._current.issued if self._current is self._product else self._current.idle
        )
        if not free or not queue.opened(cycle):
            return False
        self._current = self._product
        if not queue.pairs:
            return True
        vector, filter_ = queue.pairs.popleft()
        results = queue.results[filter_]
        own = self._taken.setdefault(id(results), set())
        view = OwnView(results, frozenset(own))
        own.add(vector)
        self._product.load({vector: queue.scope.vectors[vector]}, queue.weights[filter_], view)
        return False


def step_misses(
    scopes: Sequence[SteppedScope],
    filters: Sequence[Window],
    random_filters: Sequence[Window],
    array: Array,
    *,
    pipelined_signatures: bool,
    design: Design,
    late_hits: LateHits = "ready",
    in_flight: int | None = None,
) -> SteppedProducts:
    """Signatures, dealt in blocks of pairs, and products from queues; arguments as of ``step_products``."""
    signatures = [[dense_results(scope) for _ in random_filters] for scope in scopes]
    products = [[FilterResults(s.states, s.representatives, late_hits) for _ in filters] for s in scopes]
    rows = window_rows([*filters, *random_filters, *(vector for one in scopes for vector in one.vectors)])
    together = in_flight or len(filters)
    starts = range(0, len(filters), together)

    def takers() -> list[Taker]:
        return [Taker(rows, array.mac_unit, array.pipelined) for _ in range(array.sets)]

    def sign(index: int, sets: Sequence[Taker]) -> None:
        for taker, tasks in zip(
            sets, _blocks(random_filters, signatures[index], scopes[index], len(sets)), strict=True
        ):
            unit = taker.units[pipelined_signatures]
            taker.agenda.extend(Task(load, unit, {v: scopes[index].vectors[v]}) for load, v in tasks)

    def queues(index: int) -> list[Queue]:
        own = products[index]
        return [Queue(scopes[index], filters[at : at + together], own[at : at + together]) for at in starts]

    cycles = under_way = 0
    lines = list[Queue]()
    if design == "synchronous":
        for index in range(len(scopes)):
            signing = takers()
            sign(index, signing)
            cycles += run(signing)
            for queue in queues(index):
                sets = takers()
                for taker in sets:
                    taker.agenda.append(queue)
                cycles += run(sets)
                under_way = max(under_way, _under_way(queue.results))
    else:
        sets = takers()
        for index in range(-1, len(scopes)):
            if index + 1 < len(scopes):
                sign(index + 1, sets)
            for queue in queues(index) if index >= 0 else []:
                queue.after = [*signatures[index], *(lines[-2].results if len(lines) >= 2 else [])]
                lines.append(queue)
                for taker in sets:
                    taker.agenda.append(queue)
        cycles = run(sets)
        under_way = _under_way([one for own in products for one in own])
    outputs = [one.outputs() for own in products for one in own]
    return SteppedProducts(cycles, outputs, under_way)


def _blocks(
    filters: Sequence[Window], results: Sequence[FilterResults], scope: SteppedScope, sets: int
) -> list[list[tuple[Load, int]]]:
    """Pairs of signature bit and vector, bit by bit, cut into a block a set."""
    loads = [Load(weights, one) for weights, one in zip(filters, results, strict=True)]
    pairs = [(load, vector) for load in loads for vector in range(len(scope.vectors))]
    return [list(block.values()) for block in deal(pairs, sets)]


def _under_way(results: Sequence[FilterResults]) -> int:
    """The most filters that were between their first and last result at a time."""
    spans = [(one.begun_in or 0, one.complete_in or 0) for one in results]
    return max((sum(b <= begun <= e for b, e in spans) for begun, _ in spans), default=0)
