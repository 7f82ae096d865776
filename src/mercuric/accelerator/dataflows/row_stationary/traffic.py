"""Which words does a row-stationary array move for one product?"""

from dataclasses import dataclass, replace

import numpy as np

from mercuric.accelerator.dataflows.row_stationary.dealing import (
    Dealt,
    deal,
    deal_from_queue,
    dealing_of,
    results_held,
)
from mercuric.accelerator.dataflows.row_stationary.filter_groups import FilterGroups
from mercuric.accelerator.dataflows.traffic import ArrayTraffic, DotProducts
from mercuric.accelerator.energy.energies import WordCosts
from mercuric.accelerator.energy.operands import Operands, Words
from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.vectors import VectorShape

_ROW_REGISTERS = 4
"""Input, weight and partial sum are read, the partial sum is written (Eyeriss, ISCA 2016, III)."""


def traffic(accelerator: Accelerator, computed: DotProducts) -> ArrayTraffic:
    """A PE holds part of a row of its block's inputs, or of the filters: whichever takes less energy.

    An input or a weight comes from the buffer once for all PE sets that take it, and goes to each of them;
    where only some filters are in flight, for each group of these. From a queue of misses PE sets take
    vectors that are no neighbours, each of them whole.

    Raises:
        ValueError: the array has fewer PEs than a window has rows.
    """
    shape, whole = computed.shape, computed.whole
    tiles = _tiles(accelerator, computed)
    pieces = tiles[0][1].pieces
    inputs, weights, delivered = (
        sum(times * getattr(tile, words) for times, tile in tiles)
        for words in ("inputs", "weights", "delivered")
    )
    dot_products = int(computed.vectors.sum()) * shape.filters
    chains = dot_products * pieces // (shape.depth if whole else 1)
    macs = dot_products * shape.length
    return ArrayTraffic(
        macs=macs,
        register_file=_ROW_REGISTERS * macs + delivered,
        pe_to_pe=delivered + chains * (shape.rows - 1),
        visits=Words(inputs, weights, chains),
        sums=pieces,
        passes=_passes(accelerator, computed),
        queued=_queued(accelerator, computed),
    )


def _queued(accelerator: Accelerator, computed: DotProducts) -> bool:
    return computed.kept and dealing_of(accelerator, computed.kind) == "misses"


def _passes(accelerator: Accelerator, computed: DotProducts) -> int:
    """One for the filters that are under way together; where products are dealt, one a filter."""
    filters = computed.shape.filters
    dealing = dealing_of(accelerator, computed.kind)
    if dealing == "misses":
        return FilterGroups.of(filters, accelerator.filters_in_flight).number
    if dealing == "products":
        return filters
    return -(-filters // results_held(accelerator, computed.shape, computed.kind))


def _tiles(accelerator: Accelerator, computed: DotProducts) -> list[tuple[int, "_Tile"]]:
    """How often, and with which tile, filters that are in flight together are worked on."""
    shape, tensors = computed.shape, computed.operands
    if _queued(accelerator, computed):
        misses = int(computed.vectors.sum())
        shape = replace(shape, vectors=-(-misses // max(shape.scopes, 1)))  # as if each scope had as many
        tensors = Operands(replace(tensors.words, inputs=misses * shape.length), shape.elements)

    def tile(filters: int, pieces: int | None = None) -> _Tile:
        some = replace(shape, filters=filters)
        queued = _queued(accelerator, computed)
        dealt = deal_from_queue(accelerator, some) if queued else deal(accelerator, some, computed.kind)
        return _best_tile(
            accelerator.register_file_words, some, tensors, dealt, computed.costs, computed.whole, pieces
        )

    if not computed.kept or dealing_of(accelerator, computed.kind) not in ("products", "misses"):
        return [(1, tile(shape.filters))]
    groups = FilterGroups.of(shape.filters, accelerator.filters_in_flight)
    first = tile(groups.each)
    return [(groups.number - 1, first), (1, tile(groups.last, first.pieces))]


@dataclass(frozen=True)
class _Tile:
    """Into how many ``pieces`` a row is cut, input and weight words visited, and delivered to PE sets."""

    pieces: int
    inputs: int
    weights: int
    delivered: int


def _best_tile(
    registers: int,
    shape: VectorShape,
    operands: Operands,
    dealt: Dealt,
    costs: WordCosts,
    whole: bool,
    cut: int | None,
) -> _Tile:
    """The tile of least energy, of those that fit into a PE's registers: filters held, or else inputs.

    Args:
        registers: words of a PE's register file.
        shape: the input vectors.
        operands: their tensors.
        dealt: what each PE set gets.
        costs: of the words.
        whole: as in :class:`~mercuric.accelerator.dataflows.traffic.DotProducts`.
        cut: into how many pieces rows must be cut; None: as many as is best.
    """
    depth = shape.depth if whole else 1
    row = depth * shape.elements
    pieces = np.arange(1, row + 1)
    held = -(-row // pieces)
    fits = (2 * held + 1 <= registers) & ((cut is None) | (pieces == cut))
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
