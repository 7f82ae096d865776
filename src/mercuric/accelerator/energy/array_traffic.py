"""How often do the PEs touch registers, each other and the buffer? Closed forms of ``docs/energy.md``."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercuric.accelerator.energy.operands import Operands, Words
from mercuric.accelerator.hardware import Accelerator
from mercuric.accelerator.pe_sets import pe_sets
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
    accelerator: Accelerator, shape: VectorShape, operands: Operands, computed: Counts, *, whole: bool
) -> ArrayTraffic:
    """What the array does for the dot products of ``computed`` vectors a scope.

    Args:
        accelerator: whose dataflow and register files are used.
        shape: the input vectors.
        operands: their tensors.
        computed: (scopes,): vectors that are multiplied; all of ``shape.vectors`` without reuse.
        whole: scopes that add up to one output, and images that share filters, are worked on together,
            as a dense array can; else scope by scope, as MERCURY does. Only where all are computed.

    Raises:
        ValueError: the array has fewer PEs than a window has rows.
    """
    if accelerator.dataflow == "row":
        return _row_stationary(accelerator, shape, operands, int(computed.sum()), whole)
    return _systolic(accelerator, shape, computed, whole)


def _row_stationary(
    accelerator: Accelerator, shape: VectorShape, operands: Operands, computed: int, whole: bool
) -> ArrayTraffic:
    """A PE holds part of a row of its block's inputs, or of the filters: whichever the buffer likes more."""
    sets = min(pe_sets(accelerator, shape.rows), max(shape.vectors, 1))
    depth = shape.depth if whole else 1
    tile = _best_tile(accelerator.register_file_words, shape, operands, sets, whole)
    chains = computed * shape.filters * tile.pieces // depth
    macs = computed * shape.filters * shape.length
    vectors = shape.scopes * shape.vectors
    delivered = (
        vectors * shape.rows * operands.fresh * tile.input_visits
        + tile.weights * sets
        + chains * (shape.rows - 1)
    )
    filled = delivered - chains * (shape.rows - 1)
    return ArrayTraffic(
        macs=macs,
        register_file=_ROW_REGISTERS * macs + filled,
        pe_to_pe=delivered,
        visits=Words(operands.words.inputs * tile.input_visits, tile.weights, chains),
        sums=tile.pieces,
        passes=-(-shape.filters // accelerator.results),
    )


@dataclass(frozen=True)
class _Tile:
    """Into how many ``pieces`` a row is cut, how often each input is visited, weight words visited."""

    pieces: int
    input_visits: int
    weights: int


def _best_tile(registers: int, shape: VectorShape, operands: Operands, sets: int, whole: bool) -> _Tile:
    """The tile that visits the buffer least, of those that fit into a PE's registers."""
    depth = shape.depth if whole else 1
    row = depth * shape.elements
    pieces = np.arange(1, row + 1)
    held = -(-row // pieces)
    fits = 2 * held + 1 <= registers
    pieces, held = pieces[fits], held[fits]
    by_scope = shape.scopes * shape.length * shape.filters
    sums = shape.scopes // depth * shape.vectors * shape.filters * pieces

    filters = (registers - held) // (held + 1)
    input_visits = -(-shape.filters // filters)
    loaded = np.full_like(pieces, operands.words.weights if whole else by_scope)
    filters_held = operands.words.inputs * input_visits + loaded + 2 * sums

    fresh = -(-operands.fresh * held // shape.elements)
    vectors = 1 + (registers - 2 * held - 1) // fresh
    block = -(-shape.vectors // sets)
    reloaded = by_scope * -(-block // vectors)
    inputs_held = operands.words.inputs + reloaded + 2 * sums

    first, second = int(filters_held.argmin()), int(inputs_held.argmin())
    if filters_held[first] <= inputs_held[second]:
        return _Tile(int(pieces[first]), int(input_visits[first]), int(loaded[first]))
    return _Tile(int(pieces[second]), 1, int(reloaded[second]))


def _systolic(accelerator: Accelerator, shape: VectorShape, computed: Counts, whole: bool) -> ArrayTraffic:
    """One matrix product a scope, or a convolution group: (vectors x length) times (length x filters)."""
    length, filters, vectors = shape.length, shape.filters, computed
    if whole:
        length *= shape.depth
        groups = shape.scopes // max(shape.images * shape.depth, 1)
        vectors = np.full(groups, shape.images * shape.vectors)
    rows, columns = accelerator.rows, accelerator.columns
    streamed, products = int(vectors.sum()), int(np.count_nonzero(vectors))
    folds, wide = -(-length // rows), -(-filters // columns)
    macs = streamed * length * filters
    if accelerator.dataflow == "weight":
        visits = Words(streamed * length * wide, products * length * filters, streamed * filters * folds)
        moved, registers = 2 * macs - visits.inputs - visits.outputs, macs + visits.weights
        return ArrayTraffic(macs, registers, moved, visits, folds, folds * wide)
    if accelerator.dataflow == "input":
        tall = int((-(-vectors // columns)).sum())
        visits = Words(streamed * length, length * filters * tall, streamed * filters * folds)
        moved, registers = 2 * macs - visits.weights - visits.outputs, macs + visits.inputs
        return ArrayTraffic(macs, registers, moved, visits, folds, folds)
    tall = int((-(-vectors // rows)).sum())
    visits = Words(streamed * length * wide, length * filters * tall, streamed * filters)
    moved = 2 * macs - visits.inputs - visits.weights
    return ArrayTraffic(macs, 2 * macs, moved, visits, 1, wide)
