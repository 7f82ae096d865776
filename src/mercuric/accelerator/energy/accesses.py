"""How often is each memory accessed, with and without reuse?"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from mercuric.accelerator.arrays import Share, shares
from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.dataflows.traffic import ArrayTraffic, DotProducts
from mercuric.accelerator.energy.energies import WordCosts, as_energies
from mercuric.accelerator.energy.operands import Operands, Words
from mercuric.accelerator.energy.transfers import (
    ACCUMULATED,
    STATE_BITS,
    Transfers,
    array_words,
    dense_transfers,
    id_bits,
    mercury_transfers,
    number_bits,
    random_words,
    saved_words,
)
from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError
from mercuric.similarity.hitmap import Hitmap, HitState
from mercuric.trace.work import Product, Work


@dataclass(frozen=True)
class Accesses:
    """Operations and accesses of some work; they add up.

    Attributes:
        mac: multiply-accumulates, and additions of reused results.
        register_file: words.
        pe_to_pe: words that enter a PE from a neighbour or from the array's network.
        buffer: words of the global buffer.
        dram: words.
        link: words from one array to another.
        mcache_tag: bits of tags, compared or written.
        mcache_data: words of results, read or written.
        signature_table: bits, read or written.
        hitmap: bits, read or written; those of a queue of misses, which it fills, among them.
    """

    mac: int = 0
    register_file: int = 0
    pe_to_pe: int = 0
    buffer: int = 0
    dram: int = 0
    link: int = 0
    mcache_tag: int = 0
    mcache_data: int = 0
    signature_table: int = 0
    hitmap: int = 0

    def __add__(self, other: "Accesses") -> "Accesses":
        return Accesses(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __mul__(self, arrays: int) -> "Accesses":
        return Accesses(*(getattr(self, f.name) * arrays for f in fields(self)))


def baseline_accesses(
    accelerator: Accelerator,
    work: Work,
    operands: Operands,
    product: Product,
    timing: Timing,
    costs: WordCosts | None = None,
) -> Accesses:
    """Accesses of one product without reuse.

    Args:
        accelerator: what it runs on.
        work: the layer's input vectors.
        operands: their tensors.
        product: which of the layer's three.
        timing: ``"paper"``: scope by scope, as MERCURY works; ``"fair"``: channels that add up and images
            of a batch share what a dense array can hold for them.
        costs: of the words, by which a dataflow may choose what it keeps; the accelerator's own by default.

    Raises:
        ValueError: the array is too small for the layer's vectors.
    """
    costs = costs or _own_costs(accelerator)
    parts, whole = shares(accelerator, work, operands), accelerator.depth(timing) == "whole"
    each = [_dense(accelerator, share, product, costs, whole=whole) for share in parts]
    return _together(parts, each, dense_transfers(accelerator, parts, product))


def reuse_accesses(
    accelerator: Accelerator,
    work: Work,
    operands: Operands,
    product: Product,
    *,
    training: bool,
    costs: WordCosts | None = None,
    signed: bool | None = None,
) -> Accesses:
    """Accesses of one product with MERCURY, signatures among them in the forward product.

    Args:
        accelerator: what it runs on.
        work: the layer's input vectors and their Hitmap.
        operands: the layer's tensors.
        product: which of the layer's three.
        training: whether the forward product saves signatures and Hitmap for the backward ones (III-C2).
        costs: as for :func:`baseline_accesses`.
        signed: whether signatures are computed; by default in the forward product alone.

    Raises:
        ValueError: reuse is off (there is no Hitmap), or the array is too small for the layer's vectors.
    """
    if work.hitmap is None:
        raise ArgumentError("hitmap was None, but without reuse the baseline's accesses are all there are")
    costs = costs or _own_costs(accelerator)
    signed = product == "forward" if signed is None else signed
    parts = shares(accelerator, work, operands)
    each = [
        _reused(accelerator, share, share.work.hitmap, product, costs, training=training, signed=signed)
        for share in parts
        if share.work.hitmap is not None
    ]
    moved = mercury_transfers(accelerator, parts, product, training=training, signed=signed)
    return _together(parts, each, moved)


def _together(parts: Sequence[Share], each: Sequence[Accesses], moved: Transfers) -> Accesses:
    """All arrays' accesses; what passes between two of them is no word of the DRAM for both."""
    whole = sum((one * share.arrays for one, share in zip(each, parts, strict=True)), start=Accesses())
    return replace(whole, mac=whole.mac + moved.added, dram=moved.dram, link=moved.link)


def _dense(
    accelerator: Accelerator, share: Share, product: Product, costs: WordCosts, *, whole: bool
) -> Accesses:
    """One array's accesses without reuse."""
    shape = share.work.shape
    everything = np.full(shape.scopes, shape.vectors)
    dense = DotProducts(shape, share.work.kind, share.tensors, everything, costs, whole=whole)
    traffic = dataflow_of(accelerator).traffic(accelerator, dense)
    return _beside_dram(accelerator, share, product, traffic, traffic.visits)


def _reused(
    accelerator: Accelerator,
    share: Share,
    hitmap: Hitmap,
    product: Product,
    costs: WordCosts,
    *,
    training: bool,
    signed: bool,
) -> Accesses:
    """One array's accesses with MERCURY, signatures among them."""
    work, operands = share.work, share.tensors
    states, filters = hitmap.states, work.shape.filters
    computed = (states != HitState.HIT.value).sum(dim=1).cpu().numpy()
    stored = int((states == HitState.MAU.value).sum())
    hits = states.numel() - int(computed.sum())
    misses = DotProducts(work.shape, work.kind, operands, computed, costs, whole=False, kept=True)
    traffic = dataflow_of(accelerator).traffic(accelerator, misses)
    reused = hits * filters * traffic.sums
    visits = replace(traffic.visits, outputs=traffic.visits.outputs + reused)
    dense = _beside_dram(accelerator, share, product, traffic, visits)

    kept = stored * filters * traffic.sums
    backward = product != "forward"
    # A HIT of a backward product adds to its representative's sum, which is read when all are there.
    results = (2 if backward else 1) * (reused + kept)
    row = work.bits + id_bits(accelerator, work)
    vectors = states.numel()
    queued_bits = number_bits(work.shape.vectors) if traffic.queued else 0
    mercury = Accesses(
        mac=reused,
        dram=saved_words(accelerator, work, product, training=training),
        pe_to_pe=results if traffic.queued else 0,
        mcache_data=results,
        signature_table=vectors * row + (hits + stored) * id_bits(accelerator, work) * traffic.passes,
        hitmap=(STATE_BITS + queued_bits) * vectors * (1 + traffic.passes),
    )
    if not signed or not work.bits:
        return dense + mercury
    return dense + mercury + _signatures(accelerator, work, operands, stored, costs)


def _own_costs(accelerator: Accelerator) -> WordCosts:
    return as_energies(accelerator.energies).on(accelerator)


def _signatures(
    accelerator: Accelerator, work: Work, operands: Operands, stored: int, costs: WordCosts
) -> Accesses:
    """Random filters are multiplied with every vector, and every signature is looked up once."""
    shape = replace(work.shape, filters=work.bits)
    everything = np.full(shape.scopes, shape.vectors)
    vectors = shape.scopes * shape.vectors
    random = DotProducts(shape, work.kind, operands, everything, costs, whole=False)
    traffic = dataflow_of(accelerator).traffic(accelerator, random)
    visits, projection = traffic.visits, random_words(work)
    # Only what is added up over several pieces goes through the buffer: the last one leaves as a sign bit.
    partial = 2 * (visits.outputs - vectors * work.bits)
    compared = 1 if accelerator.entries is None else accelerator.ways
    return Accesses(
        mac=traffic.macs,
        register_file=traffic.register_file,
        pe_to_pe=traffic.pe_to_pe,
        buffer=visits.inputs + visits.weights + partial + projection,
        dram=projection,
        mcache_tag=work.bits * (vectors * compared + stored),
    )


def _beside_dram(
    accelerator: Accelerator, share: Share, product: Product, traffic: ArrayTraffic, visits: Words
) -> Accesses:
    """The array's traffic, and what it takes to have its operands in the buffer."""
    accumulated = ACCUMULATED[product]
    dram = array_words(accelerator, share, product).total
    again = max(0, getattr(visits, accumulated) - getattr(share.tensors.words, accumulated))
    return Accesses(
        mac=traffic.macs,
        register_file=traffic.register_file,
        pe_to_pe=traffic.pe_to_pe,
        buffer=visits.total + again + dram,
        dram=dram,
    )
