"""How many cycles do a layer's products take, if every PE of a systolic array is stepped?

The oracle of the three systolic dataflows: plain integers through the PEs of ``systolic_grids``, and a
controller that begins each fold in the first cycle in which nothing stands against it. It shares nothing
with the formulas. Slow on purpose; for small shapes.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from mercuric.accelerator.hardware import Design
from mercuric.trace.work import Product
from oracle.systolic_folding import (
    Fold,
    Matrix,
    Scope,
    SystolicStationary,
    product_folds,
    signature_folds,
)
from oracle.systolic_grids import AccumulatingGrid, Grid, Result, StationaryGrid, Token

Cells = dict[tuple[int, int], int]
Arriving = defaultdict[int, dict[int, Token]]
"""By cycle and place: what enters at an edge."""


@dataclass(frozen=True)
class Stepped:
    """What the array did.

    Attributes:
        cycles: until the last result left.
        products: of each scope: (vectors, filters), (vectors, length) or (length, filters). A vector that
            hits has its representative's outputs, and a dO of zeros.
        signatures: (vectors, bits) of each scope: the dot products whose signs are the signature.
        completed: of each scope, by vector: the cycle in which its last random dot product left.
    """

    cycles: int
    products: list[Matrix]
    signatures: list[Matrix]
    completed: list[dict[int, int]]


def step_product(
    dataflow: SystolicStationary,
    product: Product,
    scopes: Sequence[Scope],
    rows: int,
    columns: int,
    *,
    design: Design = "synchronous",
    versions: int = 1,
    ports: int = 0,
    skipping: bool = False,
) -> Stepped:
    """One product of a layer on ``rows`` x ``columns`` PEs; signatures go with ``"forward"``.

    Args:
        dataflow: what stays in a PE.
        product: which of the layer's products.
        scopes: the layer's scopes in order.
        rows: rows of the array.
        columns: columns of the array.
        design: folds one after the other, or overlapped.
        versions: folds that may be under way at a time in the asynchronous design.
        ports: for HITs' results; 0: they cost nothing.
        skipping: whether a HIT takes a cycle in which it is found and passed over.

    Raises:
        ValueError: the array has no PEs, or there is no version.
        RuntimeError: two folds collided.
    """
    if min(rows, columns, versions) < 1:
        raise ValueError(
            f"rows, columns and versions were {rows}, {columns} and {versions}, but must be at least 1"
        )
    random = [
        signature_folds(dataflow, scope, number, rows, columns) if product == "forward" else []
        for number, scope in enumerate(scopes)
    ]
    computed = [
        product_folds(dataflow, product, scope, number, rows, columns, ports, skipping)
        for number, scope in enumerate(scopes)
    ]
    folds = _in_order(random, computed, design)
    array = _Array(dataflow, folds, rows, columns, versions if design == "asynchronous" else None)
    while not array.done:
        array.step()
    return Stepped(
        array.cycle,
        [_product(product, scope, array.values[number, False]) for number, scope in enumerate(scopes)],
        [
            _matrix(array.values[number, True], len(scope.vectors), len(scope.random[0]))
            for number, scope in enumerate(scopes)
        ],
        [array.completed[number] for number in range(len(scopes))],
    )


def _in_order(random: Sequence[list[Fold]], computed: Sequence[list[Fold]], design: Design) -> list[Fold]:
    """Asynchronous: the next scope's signatures go before a scope's products."""
    behind: list[list[Fold]] = [[], *computed] if design == "asynchronous" else [*computed, []]
    folds = []
    for signatures, products in zip([*random, []], behind, strict=True):
        folds += signatures + products
    return folds


def _product(product: Product, scope: Scope, values: Cells) -> Matrix:
    """The product with the vectors that hit in it."""
    length, filters, misses = len(scope.filters), len(scope.filters[0]), scope.misses
    if product == "weight_gradient":
        return _matrix(values, length, filters)
    width = filters if product == "forward" else length
    computed = dict(zip(misses, _matrix(values, len(misses), width), strict=True))
    if product == "forward":
        return [computed[vector] for vector in scope.representatives]
    return [computed.get(vector, [0] * width) for vector in range(len(scope.vectors))]


def _matrix(values: Cells, height: int, width: int) -> Matrix:
    return [[values.get((row, column), 0) for column in range(width)] for row in range(height)]


class _Array:
    """The PEs, their edges, and the controller.

    Args:
        dataflow: what stays in a PE.
        folds: what to do, in order.
        rows: rows of the array.
        columns: columns of the array.
        versions: folds that may be under way at a time; None: a fold waits until the last has drained.
    """

    def __init__(
        self,
        dataflow: SystolicStationary,
        folds: Sequence[Fold],
        rows: int,
        columns: int,
        versions: int | None,
    ) -> None:
        self.cycle = 0
        self.values: defaultdict[tuple[int, bool], Cells] = defaultdict(lambda: defaultdict(int))
        self.completed: defaultdict[int, dict[int, int]] = defaultdict(dict)
        self._accumulates, self._chooses = dataflow == "output", dataflow != "weight"
        self._grid: Grid = (AccumulatingGrid if self._accumulates else StationaryGrid)(rows, columns)
        self._folds, self._rows, self._columns, self._versions = folds, rows, columns, versions
        self._loaded = self._begun = 0
        self._load_ends = self._enters = self._stream_ends = 0
        self._left: Arriving = defaultdict(dict)
        self._top: Arriving = defaultdict(dict)
        self._passing: defaultdict[int, list[int]] = defaultdict(list)
        self._edge_taken: set[int] = set()
        self._under_way: Counter[int] = Counter()
        self._unsigned = Counter(fold.scope for fold in folds if fold.signature)

    @property
    def done(self) -> bool:
        """Whether all results have left."""
        return self._begun == len(self._folds) and not self._under_way

    def step(self) -> None:
        """Do one cycle: begin and load what can be, then move every value on."""
        self._begin_next()
        self._load_next()
        self._begin_next()  # outputs that stay need no load
        for result in self._grid.step(self._left.pop(self.cycle, {}), self._top.pop(self.cycle, {})):
            self._keep(result)
        self._under_way.subtract(self._passing.pop(self.cycle, []))
        self.cycle += 1
        for number in [number for number, left in self._under_way.items() if not left]:
            del self._under_way[number]
            fold = self._folds[number]
            self._unsigned[fold.scope] -= fold.signature

    def _keep(self, result: Result) -> None:
        fold = self._folds[result.fold]
        self._under_way[result.fold] -= 1
        if (cell := fold.cells.get((result.column, result.index))) is not None:
            self.values[fold.scope, fold.signature][cell] += result.value
            if fold.signature:
                self.completed[fold.scope][cell[0]] = self.cycle

    def _knows(self, fold: Fold) -> bool:
        """Whether the Hitmap of a product is there."""
        return fold.signature or not self._unsigned[fold.scope]

    def _load_next(self) -> None:
        """A load begins once every PE can let go of what its second register holds."""
        if self._loaded == len(self._folds) or self._loaded > self._begun or self.cycle < self._enters:
            return
        if self._versions is None and self._under_way:
            return
        fold = self._folds[self._loaded]
        if self._chooses and not self._knows(fold):
            return
        load = max(fold.skips + len(fold.load), fold.passes["load"])
        self._load_ends = self.cycle + load
        for row, values in enumerate(reversed(fold.load), start=self._load_ends - len(fold.load)):
            for column, value in enumerate(values):
                _arrive(self._top, row + column, column, Token(self._loaded, 0, value))
        self._loaded += 1

    def _begin_next(self) -> None:
        if self._begun == self._loaded or self.cycle < max(self._load_ends, self._stream_ends):
            return
        fold = self._folds[self._begun]
        stream = max(len(fold.left), fold.passes["stream"])
        enters = self.cycle + stream - len(fold.left)
        first = enters + (len(fold.left) if self._accumulates else self._rows) - 1
        own = self._rows if self._accumulates else len(fold.left)
        leaving = range(first, first + max(own, fold.passes["leave"]))
        full = self._versions is not None and len(self._under_way) >= self._versions
        if full or not self._knows(fold) or not self._edge_taken.isdisjoint(leaving):
            return
        self._enters, self._stream_ends = enters, self.cycle + stream
        self._edge_taken.update(leaving)
        self._begin(self._begun, fold, first)
        self._begun += 1

    def _begin(self, number: int, fold: Fold, first: int) -> None:
        """The operands enter, each row and column a cycle behind the one before; so do results leave."""
        for arriving, operand in ((self._left, fold.left), (self._top, fold.top)):
            for index, values in enumerate(operand):
                for place, value in enumerate(values):
                    token = Token(number, index, value, last=index == len(operand) - 1)
                    _arrive(arriving, self._enters + index + place, place, token)
        for column in range(self._columns):
            for turn in range(fold.passes["leave"]):
                self._passing[first + turn + column].append(number)
        results = self._rows if self._accumulates else len(fold.left)
        self._under_way[number] = self._columns * (results + fold.passes["leave"])


def _arrive(arriving: Arriving, cycle: int, place: int, token: Token) -> None:
    if place in arriving[cycle]:
        raise RuntimeError(f"folds {arriving[cycle][place].fold} and {token.fold} entered in cycle {cycle}")
    arriving[cycle][place] = token
