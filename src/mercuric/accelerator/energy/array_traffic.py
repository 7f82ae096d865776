"""How often do the PEs touch registers, each other and the buffer? Closed forms of ``docs/energy.md``."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercuric.accelerator.dealing import Dealt, deal
from mercuric.accelerator.energy.operands import Operands, Words
from mercuric.accelerator.hardware import Accelerator, Dealing
from mercuric.accelerator.pe_sets import pe_sets
from mercuric.reuse.vectors import VectorShape

Counts = NDArray[np.int64]

_ROW_REGISTERS = 4
"""Input, weight and partial sum are read, the partial sum is written (Eyeriss, ISCA 2016, III)."""

_DELIVERY: dict[Dealing, float] = {"vectors": 0, "products": 0.5}
"""What a word on its way to a PE counts in the choice of a tile, beside a visit of the buffer: dealt products
go to many sets. A network access and a register are half a buffer access in Eyeriss's costs."""


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
        whole: scopes that add up to one output, and images that share filters, are worked on together,
            as a dense array can; else scope by scope, as MERCURY does. Only where all are computed.
        dealing: what PE sets are dealt, where the dataflow has any.

    Raises:
        ValueError: the array has fewer PEs than a window has rows.
    """
    if accelerator.dataflow == "row":
        return _row_stationary(accelerator, shape, operands, int(computed.sum()), whole, dealing)
    return _systolic(accelerator, shape, computed, whole)


def _row_stationary(
    accelerator: Accelerator,
    shape: VectorShape,
    operands: Operands,
    computed: int,
    whole: bool,
    dealing: Dealing,
) -> ArrayTraffic:
    """A PE holds part of a row of its block's inputs, or of the filters: whichever costs less.

    An input or a weight comes from the buffer once for all PE sets that take it, and goes to each of them.
    """
    depth = shape.depth if whole else 1
    dealt = deal(dealing, shape.vectors, shape.filters, pe_sets(accelerator, shape.rows))
    tile = _best_tile(accelerator.register_file_words, shape, operands, dealt, whole, _DELIVERY[dealing])
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
    registers: int, shape: VectorShape, operands: Operands, dealt: Dealt, whole: bool, delivery: float
) -> _Tile:
    """The tile of least cost, of those that fit into a PE's registers: filters held, or else inputs.

    Args:
        registers: words of a PE's register file.
        shape: the input vectors.
        operands: their tensors.
        dealt: what each PE set gets.
        whole: as for :func:`array_traffic`.
        delivery: what a word costs on its way to a PE, a visit of the buffer being 1.
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
    best = int((inputs + weights + 2 * np.tile(sums, 2) + delivery * delivered).argmin())
    return _Tile(int(np.tile(pieces, 2)[best]), int(inputs[best]), int(weights[best]), int(delivered[best]))


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
