"""How many cycles do a layer's products take, if every PE that a bus feeds is stepped?

The oracle of the dataflows ``broadcast`` and ``vector``: plain integers in the PEs' registers, and a
controller that does in each cycle what it can. It shares nothing with the formulas. Slow on purpose.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from mercuric.accelerator.hardware import Design
from mercuric.similarity.hitmap import HitState
from mercuric.trace.work import Product
from oracle.systolic_folding import Matrix, Scope

Sums = defaultdict[tuple[int, int], int]
Tick = Callable[[], None]
"""What the PEs do in one cycle; None in a list of them: nothing streams."""


@dataclass
class Filling:
    """What the PEs hold for a while.

    Attributes:
        before: cycles of loading, each a tick, before anything streams.
        streams: a tick a cycle.
        after: cycles in which the PEs are emptied.
    """

    before: list[Tick | None] = field(default_factory=list)
    streams: list[Tick | None] = field(default_factory=list)
    after: list[Tick | None] = field(default_factory=list)


@dataclass(frozen=True)
class Stepped:
    """What the array did.

    Attributes:
        cycles: until the last result left.
        products: of each scope: (vectors, filters), (vectors, length) or (length, filters); a vector that
            hits has its representative's outputs, and a dO of zeros.
        signatures: (vectors, bits) of each scope.
    """

    cycles: int
    products: list[Matrix]
    signatures: list[Matrix]


@dataclass
class Task:
    """A product of a scope.

    Attributes:
        product: which.
        scope: its numbers.
        filters: (length, filters): those that stream or stay.
        states: (vectors,): whom to compute.
        gradients: (vectors, filters): summed over the vectors that share a result.
        sums: what comes out.
    """

    product: Product
    scope: Scope
    filters: Matrix
    states: Sequence[int]
    gradients: dict[int, list[int]]
    sums: Sums

    @property
    def width(self) -> int:
        """Filters."""
        return len(self.filters[0])

    @property
    def hits(self) -> int:
        """Vectors that reuse a result."""
        return sum(state == HitState.HIT for state in self.states)

    def multiply(self, vector: int, element: int, column: int) -> None:
        """What one PE adds up in a cycle; where the sum is, is its array's affair."""
        value, weight = self.scope.vectors[vector][element], self.filters[element][column]
        if self.product == "forward":
            self.sums[vector, column] += value * weight
        elif self.product == "input_gradient":
            self.sums[vector, element] += self.gradients[vector][column] * weight
        else:
            self.sums[element, column] += value * self.gradients[vector][column]


def step_broadcast(
    product: Product,
    scopes: Sequence[Scope],
    pes: int,
    *,
    design: Design = "synchronous",
    ports: int = 0,
    skipping: bool = False,
) -> Stepped:
    """A filter a PE, an element of a vector for all of them in a cycle; signatures go with ``"forward"``."""

    def fillings(task: Task) -> Iterator[Filling]:
        length = len(task.filters)
        for first in range(0, task.width, pes):
            group = range(first, min(first + pes, task.width))
            filling = Filling([None] * (0 if product == "weight_gradient" else length))
            for vector, state in enumerate(task.states):
                if state == HitState.HIT:
                    filling.streams += [None] * skipping
                else:
                    filling.streams += [_all_pes(task, vector, element, group) for element in range(length)]
            _let_pass(filling, -(-task.hits // ports) if ports else 0)
            yield filling

    return _step(product, scopes, design, fillings, fillings)


def step_vector(
    product: Product,
    scopes: Sequence[Scope],
    pes: int,
    *,
    design: Design = "synchronous",
    ports: int = 0,
    skipping: bool = False,
) -> Stepped:
    """An element of one vector a PE, a filter's weights for them in a cycle; the signature goes first."""

    def of_vector(task: Task, vector: int, held: bool) -> list[Filling]:
        length = len(task.filters)
        pieces = [range(first, min(first + pes, length)) for first in range(0, length, pes)]
        made = []
        for number, piece in enumerate(reversed(pieces) if held else pieces):
            filling = Filling([] if held and not number else [None])
            filling.streams += [_all_elements(task, vector, piece, column) for column in range(task.width)]
            if task.product == "input_gradient":
                filling.before, filling.after = [], filling.before  # its gradient leaves the PEs
            made.append(filling)
        return made

    def dealt(task: Task) -> dict[int, tuple[int, int]]:
        misses = [vector for vector, state in enumerate(task.states) if state != HitState.HIT]
        turns, skips = dict.fromkeys(misses, 0), dict.fromkeys(misses, 0)
        for turn in range(-(-task.hits // ports) if ports else 0):
            turns[misses[turn % len(misses)]] += 1
        for turn in range(task.hits * skipping):
            skips[misses[turn % len(misses)]] += 1
        return {vector: (turns[vector], skips[vector]) for vector in misses}

    def layer(signed: Task | None, task: Task) -> Iterator[Filling]:
        shares = dealt(task)
        for vector, state in enumerate(task.states):
            if signed is not None:
                yield from of_vector(signed, vector, held=False)
            if state != HitState.HIT:
                turns, skips = shares[vector]
                made = of_vector(task, vector, held=signed is not None)
                made[-1].streams += [None] * skips
                short = turns * task.width - sum(len(filling.streams) for filling in made)
                made[-1].streams += [None] * short
                yield from made

    return _step_scopes(product, scopes, design, layer)


def _step(
    product: Product,
    scopes: Sequence[Scope],
    design: Design,
    signing: Callable[[Task], Iterator[Filling]],
    multiplying: Callable[[Task], Iterator[Filling]],
) -> Stepped:
    def layer(signed: Task | None, task: Task) -> Iterator[Filling]:
        if signed is not None:
            yield from signing(signed)
        yield from multiplying(task)

    return _step_scopes(product, scopes, design, layer)


def _step_scopes(
    product: Product,
    scopes: Sequence[Scope],
    design: Design,
    layer: Callable[[Task | None, Task], Iterator[Filling]],
) -> Stepped:
    fillings, products, signatures = list[Filling](), list[Sums](), list[Sums]()
    for scope in scopes:
        products.append(defaultdict(int))
        signatures.append(defaultdict(int))
        gradients = dict(zip(scope.misses, scope.summed_gradients(), strict=True))
        task = Task(product, scope, scope.filters, scope.states, gradients, products[-1])
        all_miss = [HitState.MNU.value] * len(scope.states)
        signed = Task("forward", scope, scope.random, all_miss, {}, signatures[-1])
        fillings += layer(signed if product == "forward" and scope.random[0] else None, task)
    cycles = _run(fillings, overlapping=design == "asynchronous")
    return Stepped(
        cycles,
        [_result(product, scope, sums) for scope, sums in zip(scopes, products, strict=True)],
        [
            _matrix(sums, len(scope.vectors), len(scope.random[0]))
            for scope, sums in zip(scopes, signatures, strict=True)
        ],
    )


def _run(fillings: Sequence[Filling], overlapping: bool) -> int:
    """Cycle by cycle: the bus streams for one filling, and a second register file takes or gives another's.

    Where fillings overlap, the one before is emptied and the next one loaded while one streams, which it does
    from the cycle on in which its first word has come: the others come one a cycle, as they are needed.
    """
    loading, emptying = [list(one.before) for one in fillings], [list(one.after) for one in fillings]
    streaming = [list(one.streams) for one in fillings]
    cycle = 0
    for number in range(len(fillings)):
        least = max(len(fillings[number].before) - 1, 0) if overlapping else 0
        while len(loading[number]) > least:
            loading[number].pop()
            cycle += 1
        while streaming[number]:
            if (tick := streaming[number].pop(0)) is not None:
                tick()
            cycle += 1
            if overlapping and number and emptying[number - 1]:
                emptying[number - 1].pop()
            wanted = next((left for left in loading[number : number + 2] if left), [])
            if overlapping and wanted:
                wanted.pop()
        if loading[number] or (number and emptying[number - 1]):
            raise RuntimeError(f"filling {number} was not in the PEs, or the one before not out of them")
        while emptying[number] and not (overlapping and number + 1 < len(fillings)):
            emptying[number].pop()
            cycle += 1
    return cycle


def _let_pass(filling: Filling, turns: int) -> None:
    """HITs pass a port of their own in turn while something streams; what streams waits for them."""
    filling.streams += [None] * (turns - len(filling.streams))


def _all_pes(task: Task, vector: int, element: int, group: range) -> Tick:
    def tick() -> None:
        for column in group:
            task.multiply(vector, element, column)

    return tick


def _all_elements(task: Task, vector: int, piece: range, column: int) -> Tick:
    def tick() -> None:
        for element in piece:
            task.multiply(vector, element, column)

    return tick


def _result(product: Product, scope: Scope, sums: Sums) -> Matrix:
    length, filters = len(scope.filters), len(scope.filters[0])
    if product == "weight_gradient":
        return _matrix(sums, length, filters)
    if product == "forward":
        outputs = _matrix(sums, len(scope.vectors), filters)
        return [outputs[vector] for vector in scope.representatives]
    return _matrix(sums, len(scope.vectors), length)


def _matrix(sums: Sums, height: int, width: int) -> Matrix:
    return [[sums[row, column] for column in range(width)] for row in range(height)]
