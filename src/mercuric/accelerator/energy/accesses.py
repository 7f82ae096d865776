"""How often is each memory accessed, with and without reuse?"""

from dataclasses import dataclass, fields, replace

import numpy as np

from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.dataflows.traffic import ArrayTraffic, DotProducts
from mercuric.accelerator.energy.dram_traffic import dram_words
from mercuric.accelerator.energy.energies import WordCosts, as_energies
from mercuric.accelerator.energy.operands import Operands, Tensor, Words
from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError
from mercuric.similarity.hitmap import HitState
from mercuric.trace.work import Product, Work

STATE_BITS = 2
"""A Hitmap entry is HIT, MAU or MNU (paper III-B3)."""

_ACCUMULATED: dict[Product, Tensor] = {
    "forward": "outputs",
    "input_gradient": "inputs",
    "weight_gradient": "weights",
}


@dataclass(frozen=True)
class Accesses:
    """Operations and accesses of some work; they add up.

    Attributes:
        mac: multiply-accumulates, and additions of reused results.
        register_file: words.
        pe_to_pe: words that enter a PE from a neighbour or from the array's network.
        buffer: words of the global buffer.
        dram: words.
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
    mcache_tag: int = 0
    mcache_data: int = 0
    signature_table: int = 0
    hitmap: int = 0

    def __add__(self, other: "Accesses") -> "Accesses":
        return Accesses(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


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
    everything = np.full(work.shape.scopes, work.shape.vectors)
    costs = costs or _own_costs(accelerator)
    whole = accelerator.depth(timing) == "whole"
    dense = DotProducts(work.shape, work.kind, operands, everything, costs, whole)
    traffic = dataflow_of(accelerator).traffic(accelerator, dense)
    return _beside_dram(accelerator, work, operands, product, traffic, traffic.visits)


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
    states, filters = work.hitmap.states, work.shape.filters
    computed = (states != HitState.HIT.value).sum(dim=1).cpu().numpy()
    stored = int((states == HitState.MAU.value).sum())
    hits = states.numel() - int(computed.sum())
    costs = costs or _own_costs(accelerator)
    misses = DotProducts(work.shape, work.kind, operands, computed, costs, whole=False, kept=True)
    traffic = dataflow_of(accelerator).traffic(accelerator, misses)
    reused = hits * filters * traffic.sums
    visits = replace(traffic.visits, outputs=traffic.visits.outputs + reused)
    dense = _beside_dram(accelerator, work, operands, product, traffic, visits)

    kept = stored * filters * traffic.sums
    backward = product != "forward"
    # A HIT of a backward product adds to its representative's sum, which is read when all are there.
    results = (2 if backward else 1) * (reused + kept)
    row = work.bits + id_bits(accelerator, work)
    vectors = states.numel()
    saved = -(-vectors * (row + STATE_BITS) // accelerator.word_bits)
    mercury = Accesses(
        mac=reused,
        dram=saved if training or backward else 0,
        pe_to_pe=results if traffic.queued else 0,
        mcache_data=results,
        signature_table=vectors * row + (hits + stored) * id_bits(accelerator, work) * traffic.passes,
        hitmap=(STATE_BITS + number_bits(work) * traffic.queued) * vectors * (1 + traffic.passes),
    )
    signs = not backward if signed is None else signed
    if not signs or not work.bits:
        return dense + mercury
    return dense + mercury + _signatures(accelerator, work, operands, stored, costs)


def id_bits(accelerator: Accelerator, work: Work) -> int:
    """Bits of an entry's id, which the Signature Table holds beside the signature (paper V)."""
    entries = work.shape.vectors if accelerator.entries is None else accelerator.entries
    return max(entries - 1, 1).bit_length()


def number_bits(work: Work) -> int:
    """Bits of a vector's number within its scope, an item of a queue of misses."""
    return max(work.shape.vectors - 1, 1).bit_length()


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
    visits, projection = traffic.visits, shape.length * work.bits
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
    accelerator: Accelerator,
    work: Work,
    operands: Operands,
    product: Product,
    traffic: ArrayTraffic,
    visits: Words,
) -> Accesses:
    """The array's traffic, and what it takes to have its operands in the buffer."""
    accumulated = _ACCUMULATED[product]
    dram = dram_words(accelerator.buffer_words, work.shape, operands, accumulated)
    again = max(0, getattr(visits, accumulated) - getattr(operands.words, accumulated))
    return Accesses(
        mac=traffic.macs,
        register_file=traffic.register_file,
        pe_to_pe=traffic.pe_to_pe,
        buffer=visits.total + again + dram,
        dram=dram,
    )
