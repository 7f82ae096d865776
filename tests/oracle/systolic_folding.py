"""Which numbers enter a systolic array in each fold? (for the stepper)"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mercuric.similarity.hitmap import HitState
from mercuric.trace.work import Product

Matrix = list[list[int]]
SystolicStationary = Literal["weight", "input", "output"]
Phase = Literal["load", "stream", "leave"]
Cell = tuple[int, int]
Entering = tuple[Matrix, Matrix, Matrix, dict[Cell, Cell]]
"""What :class:`Fold` has from ``load`` to ``cells``."""

_PASSING: dict[tuple[SystolicStationary, Product], tuple[Phase, bool]] = {
    ("weight", "forward"): ("leave", False),
    ("weight", "input_gradient"): ("stream", False),
    ("weight", "weight_gradient"): ("load", False),
    ("input", "forward"): ("leave", True),
    ("input", "input_gradient"): ("load", True),
    ("input", "weight_gradient"): ("stream", True),
    ("output", "forward"): ("leave", False),
    ("output", "input_gradient"): ("stream", True),
    ("output", "weight_gradient"): ("stream", False),
}
"""Where results leave (forward) or gradients enter (backward), and whether vectors do so side by side."""


@dataclass(frozen=True)
class Scope:
    """The numbers of a scope.

    Attributes:
        vectors: (vectors, length).
        filters: (length, filters).
        gradients: (vectors, filters): of the outputs.
        random: (length, bits): random filters.
        states: (vectors,): the Hitmap.
        representatives: (vectors,): whose result each vector uses.
    """

    vectors: Matrix
    filters: Matrix
    gradients: Matrix
    random: Matrix
    states: Sequence[int]
    representatives: Sequence[int]

    @property
    def misses(self) -> list[int]:
        """Vectors that are computed."""
        return [vector for vector, state in enumerate(self.states) if state != HitState.HIT]

    @property
    def hits(self) -> int:
        """How many vectors reuse a result."""
        return len(self.states) - len(self.misses)

    def summed_gradients(self) -> Matrix:
        """(misses, filters): each with the gradients of the vectors that reuse its result."""
        sums = {vector: [0] * len(self.filters[0]) for vector in self.misses}
        for representative, row in zip(self.representatives, self.gradients, strict=True):
            sums[representative] = [a + b for a, b in zip(sums[representative], row, strict=True)]
        return list(sums.values())


@dataclass
class Fold:
    """What enters the array, and where its results belong.

    Attributes:
        scope: number of its scope.
        signature: whether it computes signatures.
        vector: the first of its vectors, among those that are computed.
        load: (rows, columns): the stationary operand; empty where outputs are stationary.
        left: (stream, rows): what enters from the left, cycle by cycle, before the skew.
        top: (stream, columns): what enters from above; empty where an operand is stationary.
        cells: by the column and the index of a result: its cell of the scope's product.
        passes: cycles that HITs take of their ports beside one phase.
        skips: cycles in which HITs are passed over before the load.
    """

    scope: int
    signature: bool
    vector: int
    load: Matrix
    left: Matrix
    top: Matrix
    cells: dict[Cell, Cell]
    passes: Counter[Phase] = field(default_factory=Counter)
    skips: int = 0


def signature_folds(
    dataflow: SystolicStationary, scope: Scope, number: int, rows: int, columns: int
) -> list[Fold]:
    """The folds of all of a scope's vectors times the random filters."""
    cut = _cut(dataflow, scope.vectors, scope.random, rows, columns)
    return [Fold(number, True, vector, *operands) for vector, _, operands in cut]


def product_folds(
    dataflow: SystolicStationary,
    product: Product,
    scope: Scope,
    number: int,
    rows: int,
    columns: int,
    ports: int,
    skipping: bool,
) -> list[Fold]:
    """The folds of a scope's product, those of the same vectors in a row."""
    left, right = _operands(product, scope)
    sums_vectors = product == "weight_gradient"
    folds = [
        Fold(number, False, element if sums_vectors else row, *operands)
        for row, element, operands in _cut(dataflow, left, right, rows, columns)
    ]
    folds.sort(key=lambda fold: fold.vector)
    if ports:
        _let_hits_pass(folds, scope.hits, dataflow, product, rows, columns, ports)
    if skipping:
        _pass_over(folds, scope, dataflow, product)
    return folds


def _operands(product: Product, scope: Scope) -> tuple[Matrix, Matrix]:
    """Both operands without the vectors that hit."""
    computed = [scope.vectors[vector] for vector in scope.misses]
    if product == "forward":
        return computed, scope.filters
    if product == "input_gradient":
        return scope.summed_gradients(), turned(scope.filters)
    return turned(computed), scope.summed_gradients()


def _cut(
    dataflow: SystolicStationary, left: Matrix, right: Matrix, rows: int, columns: int
) -> Iterator[tuple[int, int, Entering]]:
    """The product of two matrices, fold by fold.

    Yields:
        the first row of the result, the first element of the dot products, and what enters.
    """
    height, depth, width = len(left), len(right), len(right[0]) if right else 0
    if not (height and width):
        return
    if dataflow == "weight":
        for element in range(0, depth, rows):
            for column in range(0, width, columns):
                inside = range(min(columns, width - column)), range(height)
                cells = {(c, i): (i, column + c) for c in inside[0] for i in inside[1]}
                load = _tile(right, element, column, rows, columns)
                yield 0, element, (load, _tile(left, 0, element, height, rows), [], cells)
    elif dataflow == "input":
        for row in range(0, height, columns):
            for element in range(0, depth, rows):
                inside = range(min(columns, height - row)), range(width)
                cells = {(c, i): (row + c, i) for c in inside[0] for i in inside[1]}
                load = _tile(turned(left), element, row, rows, columns)
                yield row, element, (load, _tile(turned(right), 0, element, width, rows), [], cells)
    else:
        for row in range(0, height, rows):
            for column in range(0, width, columns):
                inside = range(min(columns, width - column)), range(min(rows, height - row))
                cells = {(c, i): (row + i, column + c) for c in inside[0] for i in inside[1]}
                moving = _tile(turned(left), 0, row, depth, rows)
                yield row, 0, ([], moving, _tile(right, 0, column, depth, columns), cells)


def _let_hits_pass(
    folds: Sequence[Fold],
    hits: int,
    dataflow: SystolicStationary,
    product: Product,
    rows: int,
    columns: int,
    ports: int,
) -> None:
    """Deal the HITs out in turn, as many as there are ports; folds of the same vectors get the same ones.

    Vectors that pass the edge side by side do so in groups, each as long as the fold's own vectors.
    """
    phase, side_by_side = _PASSING[dataflow, product]
    in_columns = dataflow == "input" and product != "weight_gradient"
    width = (columns if in_columns else rows) if side_by_side else 1
    vectors = sorted({fold.vector for fold in folds})
    dealt = dict.fromkeys(vectors, 0)
    for turn, _ in enumerate(range(0, hits, width * ports)):
        dealt[vectors[turn % len(vectors)]] += 1
    for fold in folds:
        own = len(fold.load) if phase == "load" else len(fold.left)
        fold.passes[phase] = dealt[fold.vector] * (own if side_by_side else 1)


def _pass_over(folds: Sequence[Fold], scope: Scope, dataflow: SystolicStationary, product: Product) -> None:
    """A HIT keeps a cycle of its phase: where vectors enter one a cycle, else before they are loaded."""
    phase: Phase | None = {
        ("weight", "forward"): "leave",
        ("weight", "input_gradient"): "stream",
        ("output", "weight_gradient"): "stream",
    }.get((dataflow, product))  # type: ignore[assignment]
    vectors = sorted({fold.vector for fold in folds})
    dealt = dict.fromkeys(vectors, 0)
    for turn in range(scope.hits):
        dealt[vectors[turn % len(vectors)]] += 1
    for fold in folds:
        if phase is None:
            fold.skips = dealt[fold.vector]
        else:
            fold.passes[phase] = max(fold.passes[phase], len(scope.states))


def turned(matrix: Matrix) -> Matrix:
    """Rows as columns."""
    return [list(row) for row in zip(*matrix, strict=True)]


def _tile(matrix: Matrix, row: int, column: int, height: int, width: int) -> Matrix:
    """A part of a matrix, with zeros where it sticks out."""
    inside = [line[column : column + width] for line in matrix[row : row + height]]
    padded = [line + [0] * (width - len(line)) for line in inside]
    return padded + [[0] * width] * (height - len(padded))
