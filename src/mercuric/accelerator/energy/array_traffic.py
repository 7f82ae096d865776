"""How often do the PEs touch registers, each other and the buffer? Closed forms of ``docs/energy.md``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercuric.accelerator.dataflows.row_stationary.dealing import Dealt, deal
from mercuric.accelerator.dataflows.row_stationary.pe_sets import pe_sets
from mercuric.accelerator.energy.energies import WordCosts
from mercuric.accelerator.energy.operands import Operands, Words
from mercuric.accelerator.hardware import Accelerator, Dealing, Stationary, unknown_dataflow
from mercuric.reuse.vectors import VectorShape

Counts = NDArray[np.int64]

_ROW_REGISTERS = 4
"""Input, weight and partial sum are read, the partial sum is written (Eyeriss, ISCA 2016, III)."""


@dataclass(frozen=True)
class ArrayTraffic:
    """What the array does for one product.

    Attributes:
        macs: multiply-accumulates.
        register_file: words read from or written to register files.
        pe_to_pe: words that go from the array's network or a neighbour into a PE.
        visits: words that the array takes from the buffer or gives to it, by tensor; a partial sum counts
            once each time it comes.
        sums: partial sums in which one vector's result with one filter comes.
        passes: how often the vectors' list is gone through.
    """

    macs: int
    register_file: int
    pe_to_pe: int
    visits: Words
    sums: int
    passes: int


def array_traffic(
    accelerator: Accelerator,
    shape: VectorShape,
    operands: Operands,
    computed: Counts,
    costs: WordCosts,
    *,
    whole: bool,
    dealing: Dealing = "vectors",
) -> ArrayTraffic:
    """What the array does for the dot products of ``computed`` vectors a scope.

    Args:
        accelerator: whose dataflow and register files are used.
        shape: the input vectors.
        operands: their tensors.
        computed: (scopes,): vectors that are multiplied; all of ``shape.vectors`` without reuse.
        costs: of the words, which a row-stationary array's tile is chosen by.
        whole: scopes that add up to one output, and images that share filters, are worked on together,
            as a dense array can; else scope by scope, as MERCURY does. Only where all are computed.
        dealing: what PE sets are dealt, where the dataflow has any.

    Raises:
        ValueError: the array has fewer PEs than a window has rows, or an unknown dataflow.
    """
    if accelerator.dataflow == "row":
        return _row_stationary(accelerator, shape, operands, int(computed.sum()), costs, whole, dealing)
    if accelerator.dataflow not in _SYSTOLIC:
        raise unknown_dataflow(accelerator)
    product = _matrix_product(accelerator, shape, computed, whole)
    return _SYSTOLIC[accelerator.dataflow](product)


def _row_stationary(
    accelerator: Accelerator,
    shape: VectorShape,
    operands: Operands,
    computed: int,
    costs: WordCosts,
    whole: bool,
    dealing: Dealing,
) -> ArrayTraffic:
    """A PE holds part of a row of its block's inputs, or of the filters: whichever takes less energy.

    An input or a weight comes from the buffer once for all PE sets that take it, and goes to each of them.
    """
    depth = shape.depth if whole else 1
    dealt = deal(dealing, shape.vectors, shape.filters, pe_sets(accelerator, shape.rows))
    tile = _best_tile(accelerator.register_file_words, shape, operands, dealt, costs, whole)
    chains = computed * shape.filters * tile.pieces // depth
    macs = computed * shape.filters * shape.length
    return ArrayTraffic(
        macs=macs,
        register_file=_ROW_REGISTERS * macs + tile.delivered,
        pe_to_pe=tile.delivered + chains * (shape.rows - 1),
        visits=Words(tile.inputs, tile.weights, chains),
        sums=tile.pieces,
        passes=shape.filters if dealing == "products" else -(-shape.filters // accelerator.results),
    )


@dataclass(frozen=True)
class _Tile:
    """Into how many ``pieces`` a row is cut, input and weight words visited, and delivered to PE sets."""

    pieces: int
    inputs: int
    weights: int
    delivered: int


def _best_tile(
    registers: int, shape: VectorShape, operands: Operands, dealt: Dealt, costs: WordCosts, whole: bool
) -> _Tile:
    """The tile of least energy, of those that fit into a PE's registers: filters held, or else inputs.

    Args:
        registers: words of a PE's register file.
        shape: the input vectors.
        operands: their tensors.
        dealt: what each PE set gets.
        costs: as for :func:`array_traffic`.
        whole: as there.
    """
    depth = shape.depth if whole else 1
    row = depth * shape.elements
    pieces = np.arange(1, row + 1)
    held = -(-row // pieces)
    fits = 2 * held + 1 <= registers
    pieces, held = pieces[fits], held[fits]
    by_scope = shape.scopes * shape.length * shape.filters
    sums = shape.scopes // depth * shape.vectors * shape.filters * pieces

    filters = (registers - held) // (held + 1)
    fresh = -(-operands.fresh * held // shape.elements)
    vectors = 1 + (registers - 2 * held - 1) // fresh
    loaded = np.full_like(pieces, operands.words.weights if whole else by_scope)
    reloaded = by_scope * -(-int(dealt.vectors.max(initial=1)) // vectors)

    rounds = -(-dealt.filters // np.append(filters, max(shape.filters, 1))[:, None])
    taken = np.minimum(dealt.vectors * rounds, dealt.products).sum(axis=1)
    every = np.append(taken[:-1], np.full_like(pieces, taken[-1]))
    inputs = operands.words.inputs * np.append(rounds[:-1].max(axis=1, initial=1), np.ones_like(pieces))
    weights = np.append(loaded, reloaded)
    holders = int(dealt.filters.sum())
    delivered = (
        shape.scopes * shape.rows * operands.fresh * every + weights // max(shape.filters, 1) * holders
    )
    every_sum = np.tile(sums, 2)
    energy = costs.buffer * (inputs + weights + 2 * every_sum)
    energy += (costs.pe_to_pe + costs.register_file) * delivered
    energy += costs.pe_to_pe * (shape.rows - 1) * every_sum
    best = int(energy.argmin())
    return _Tile(int(np.tile(pieces, 2)[best]), int(inputs[best]), int(weights[best]), int(delivered[best]))


@dataclass(frozen=True)
class _MatrixProduct:
    """One product a scope, or a convolution group: (vectors x length) times (length x filters).

    Attributes:
        vectors: (products,): rows of each.
        length: elements of a dot product.
        filters: columns.
        rows: of the array.
        columns: of the array.
    """

    vectors: Counts
    length: int
    filters: int
    rows: int
    columns: int

    @property
    def streamed(self) -> int:
        """Vectors of all products."""
        return int(self.vectors.sum())

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all products."""
        return self.streamed * self.length * self.filters

    @property
    def folds(self) -> int:
        """Folds that a dot product is cut into."""
        return -(-self.length // self.rows)

    @property
    def wide(self) -> int:
        """Folds that the filters are cut into."""
        return -(-self.filters // self.columns)

    def tall(self, places: int) -> int:
        """Folds that the vectors of all products are cut into, ``places`` of them side by side."""
        return int((-(-self.vectors // places)).sum())


def _matrix_product(
    accelerator: Accelerator, shape: VectorShape, computed: Counts, whole: bool
) -> _MatrixProduct:
    length, vectors = shape.length, computed
    if whole:
        length *= shape.depth
        groups = shape.scopes // max(shape.images * shape.depth, 1)
        vectors = np.full(groups, shape.images * shape.vectors)
    return _MatrixProduct(vectors, length, shape.filters, accelerator.rows, accelerator.columns)


def _weight_stationary(of: _MatrixProduct) -> ArrayTraffic:
    loaded = int(np.count_nonzero(of.vectors)) * of.length * of.filters
    visits = Words(of.streamed * of.length * of.wide, loaded, of.streamed * of.filters * of.folds)
    moved = 2 * of.macs - visits.inputs - visits.outputs
    return ArrayTraffic(of.macs, of.macs + visits.weights, moved, visits, of.folds, of.folds * of.wide)


def _input_stationary(of: _MatrixProduct) -> ArrayTraffic:
    weights = of.length * of.filters * of.tall(of.columns)
    visits = Words(of.streamed * of.length, weights, of.streamed * of.filters * of.folds)
    moved = 2 * of.macs - visits.weights - visits.outputs
    return ArrayTraffic(of.macs, of.macs + visits.inputs, moved, visits, of.folds, of.folds)


def _output_stationary(of: _MatrixProduct) -> ArrayTraffic:
    weights = of.length * of.filters * of.tall(of.rows)
    visits = Words(of.streamed * of.length * of.wide, weights, of.streamed * of.filters)
    moved = 2 * of.macs - visits.inputs - visits.weights
    return ArrayTraffic(of.macs, 2 * of.macs, moved, visits, 1, of.wide)


_SYSTOLIC: Mapping[Stationary, Callable[[_MatrixProduct], ArrayTraffic]] = {
    "weight": _weight_stationary,
    "input": _input_stationary,
    "output": _output_stationary,
}
