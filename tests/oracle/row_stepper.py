"""How many cycles do rows of the output take that are dealt to PE sets, if every PE is stepped?

The oracle of ``dealing="rows"``: PE sets are cut out of the array's columns, and rows are handed to them one
after the other, filter by filter, until no set is left. Nothing is shared with the closed forms.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mercuric.accelerator.hardware import LateHits
from oracle.mcache_stepper import SteppedHitmap, SteppedMCache
from oracle.pe_set_stepper import FilterResults, Window
from oracle.worker import Completed, Load, SteppedScope, Task, Worker, dense_results, run

Block = dict[int, Window]
Card = TypeVar("Card")


@dataclass(frozen=True)
class RowArray:
    """An array whose PE sets are dealt rows.

    Attributes:
        rows, columns: of its PEs.
        window: rows of an input vector.
        output_rows: rows that a scope's vectors make.
        pipelined: whether products are as in Fig. 8b; ``pipelined_signatures``: signature bits.
        mac_unit: whether PEs add a product in the cycle that multiplies it.
        replicas: filters that an MCACHE entry has room for side by side.
    """

    rows: int
    columns: int
    window: int
    output_rows: int
    pipelined: bool
    pipelined_signatures: bool
    mac_unit: bool
    replicas: int

    def workers(self) -> list[Worker]:
        """Every PE set: as many as fit under each other in a column, or one after the other in all PEs."""
        whole = self.rows if self.window <= self.rows else self.rows * self.columns
        tops = range(0, whole - self.window + 1, self.window)
        across = self.columns if self.window <= self.rows else 1
        return [Worker(self.window, self.mac_unit) for _ in range(across) for _ in tops]

    def blocks(self, scope: SteppedScope, sets: int) -> list[Block]:
        """The vectors of each of a scope's PE sets: row by row, from the first set again after the last."""
        width = len(scope.vectors) // self.output_rows
        hands: list[Block] = [{} for _ in range(min(sets, self.output_rows))]
        for row in range(self.output_rows):
            for vector in range(row * width, (row + 1) * width):
                hands[row % sets][vector] = scope.vectors[vector]
        return hands


@dataclass
class SteppedRows:
    """What the array did.

    Attributes:
        cycles: until the last result left.
        outputs: (scopes x filters, vectors): the dot products, those of representatives where reused.
        results: the most results of one MCACHE entry that were under way at a time.
    """

    cycles: int
    outputs: list[list[int]]
    results: int


def step_rows(
    groups: Sequence[Sequence[SteppedScope]],
    filters: Sequence[Window],
    random_filters: Sequence[Window],
    array: RowArray,
    *,
    versions: int | None,
    late_hits: LateHits = "ready",
    queue: int | None = None,
    dense: bool = False,
) -> SteppedRows:
    """Signatures and products of all scopes, their rows dealt to the PE sets.

    Args:
        groups: scopes that may be side by side; as many of a group as have room are.
        filters: (filters, rows, elements), for every scope.
        random_filters: one a signature bit; none where a saved Hitmap is used.
        array: what is stepped.
        versions: filter buffers of an asynchronous array; None: a synchronous one.
        late_hits: what a HIT does whose result is not there in its turn.
        queue: requests that the insertion queue of a cache set holds, on an asynchronous array and one scope
            at a time; None: a Hitmap is complete with its last signature.
        dense: without reuse, and with as many filters side by side as have room.
    """
    copies = max(1, len(array.workers()) // array.output_rows)
    together = min(copies, max(map(len, groups)))
    side = copies // together
    steps = [
        _Step(array, some, filters, random_filters, side, late_hits, dense)
        for group in groups
        for some in _cut(group, together)
    ]
    if versions:
        cycles, results = _apart(steps, array, versions, dense, queue if random_filters else None)
    else:
        cycles, results = _in_step(steps, array, dense)
    return SteppedRows(
        cycles, [one.outputs() for step in steps for own in step.products for one in own], results
    )


class _Step:
    """Scopes that are side by side, and the loads of their filters."""

    def __init__(
        self,
        array: RowArray,
        scopes: Sequence[SteppedScope],
        filters: Sequence[Window],
        random_filters: Sequence[Window],
        side: int,
        late_hits: LateHits,
        dense: bool,
    ) -> None:
        self.scopes = scopes
        self.signatures: list[Sequence[FilterResults]] = [
            [dense_results(scope) for _ in random_filters] for scope in scopes
        ]
        self.products = [
            [
                dense_results(one) if dense else FilterResults(one.states, one.representatives, late_hits)
                for _ in filters
            ]
            for one in scopes
        ]
        self.signing = list(_cut(list(range(len(random_filters))), side))
        self.multiplying = list(_cut(list(range(len(filters))), side if dense else min(side, array.replicas)))
        self._array, self._filters, self._random = array, filters, random_filters

    def hand_out(
        self,
        workers: Sequence[Worker],
        numbers: Sequence[int],
        after: Sequence[Completed],
        signed: bool,
    ) -> None:
        """Rows of the filters ``numbers``, one scope after the other, to sets that had none of this task."""
        array, free = self._array, iter(workers)
        windows, results = (self._random, self.signatures) if signed else (self._filters, self.products)
        pipelined = array.pipelined_signatures if signed else array.pipelined
        for scope, own in zip(self.scopes, results, strict=True):
            for number in numbers:
                load = Load(windows[number], own[number], list(after))
                for block in array.blocks(scope, len(workers)):
                    worker = next(free)
                    if block:
                        worker.tasks.append(Task(load, worker.units[pipelined], block))


def _in_step(steps: Sequence[_Step], array: RowArray, dense: bool) -> tuple[int, int]:
    """Everybody waits for everybody after a step's signatures, and after each task of its products."""
    cycles = most = 0
    for step in steps:
        signed = array.workers()
        for numbers in step.signing:
            step.hand_out(signed, numbers, [], signed=True)
        cycles += run(signed)
        for tasks in [step.multiplying] if dense else [[numbers] for numbers in step.multiplying]:
            workers = array.workers()
            for numbers in tasks:
                step.hand_out(workers, numbers, [], signed=False)
            cycles += run(workers)
            most = max(most, _most([step.products[0][number] for numbers in tasks for number in numbers]))
    return cycles, most


def _apart(
    steps: Sequence[_Step], array: RowArray, versions: int, dense: bool, queue: int | None
) -> tuple[int, int]:
    """Each set goes through its own tasks; signatures are a step ahead."""
    workers, done = array.workers(), list[list[FilterResults]]()
    scopes = [scope for step in steps for scope in step.scopes]
    hitmaps = [SteppedHitmap(scope.cache_sets, scope.answered) for scope in scopes]
    mcache = SteppedMCache(hitmaps, array.blocks(scopes[0], len(workers)), queue or 0)
    if queue is not None:
        for index, step in enumerate(steps):
            step.signatures = [mcache.signatures(index, len(step.signatures[0]))]
    for index in range(-1, len(steps)):
        if index + 1 < len(steps):
            for numbers in steps[index + 1].signing:
                steps[index + 1].hand_out(workers, numbers, [], signed=True)
        if index < 0:
            continue
        step = steps[index]
        signed: list[Completed] = [one for own in step.signatures for one in own]
        if queue is not None:
            signed = [hitmaps[index]]
        for numbers in step.multiplying:
            before = done[len(done) - versions] if len(done) >= versions and not dense else []
            step.hand_out(workers, numbers, [*signed, *before], signed=False)
            done.append([own[number] for own in step.products for number in numbers])
    return run(workers, mcache.step), _most([one for step in steps for one in step.products[0]])


def _cut(cards: Sequence[Card], most: int) -> Iterator[Sequence[Card]]:
    for start in range(0, len(cards), most):
        yield cards[start : start + most]


def _most(results: Sequence[FilterResults]) -> int:
    """The most that were between their first and last result at a time."""
    spans = [(one.begun_in or 0, one.complete_in or 0) for one in results]
    return max((sum(b <= begun <= e for b, e in spans) for begun, _ in spans), default=0)
