"""Which words cross between the DRAM and the arrays, and from array to array?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mercuric.accelerator.arrays import Share
from mercuric.accelerator.energy.dram_traffic import dram_words
from mercuric.accelerator.energy.operands import Tensor, Words
from mercuric.accelerator.hardware import Accelerator
from mercuric.trace.work import Product, Work

STATE_BITS = 2
"""A Hitmap entry is HIT, MAU or MNU (paper III-B3)."""

ACCUMULATED: dict[Product, Tensor] = {
    "forward": "outputs",
    "input_gradient": "inputs",
    "weight_gradient": "weights",
}
"""The tensor that a product writes."""


@dataclass(frozen=True)
class Transfers:
    """Words of one product.

    Attributes:
        dram: that the DRAM reads or writes, once for all arrays.
        link: that arrays get from each other.
        added: those of ``link`` that the receiver adds to its own: partial sums.
    """

    dram: int
    link: int = 0
    added: int = 0


def dense_transfers(accelerator: Accelerator, shares: Sequence[Share], product: Product) -> Transfers:
    """Words of a product without reuse; MERCURY moves the same ones for it.

    What several arrays need is read by one and sent to the others; sums of which each has a part are sent to
    one, which adds and writes them.

    Args:
        accelerator: whose buffers they are.
        shares: of the layer, as :func:`~mercuric.accelerator.arrays.shares` gives them.
        product: which of the layer's three.
    """
    moved = [array_words(accelerator, share, product) for share in shares]
    everything = sum(words.total * share.arrays for words, share in zip(moved, shares, strict=True))
    shared = shares[0].shared
    arrays = sum(share.arrays for share in shares)
    if shared is None or arrays == 1:
        return Transfers(everything)
    if shared == ACCUMULATED[product]:
        sums = (arrays - 1) * getattr(shares[0].tensors.words, shared)
        return Transfers(everything - sums, sums, sums)
    own = [getattr(words, shared) for words in moved]
    sent = sum(words * share.arrays for words, share in zip(own, shares, strict=True)) - max(own)
    return Transfers(everything - sent, sent)


def mercury_transfers(
    accelerator: Accelerator,
    shares: Sequence[Share],
    product: Product,
    *,
    training: bool,
    signed: bool,
) -> Transfers:
    """Words of a product with MERCURY: also random filters, which all arrays need, and what is saved.

    Args:
        accelerator, shares, product: as for :func:`dense_transfers`; without a Hitmap the words are those.
        training: whether the forward product saves signatures and Hitmap for the backward ones (III-C2).
        signed: whether signatures are computed.
    """
    dense = dense_transfers(accelerator, shares, product)
    if shares[0].work.hitmap is None:
        return dense
    saved = sum(
        saved_words(accelerator, share.work, product, training=training) * share.arrays for share in shares
    )
    random = random_words(shares[0].work) if signed else 0
    arrays = sum(share.arrays for share in shares)
    return replace(dense, dram=dense.dram + saved + random, link=dense.link + (arrays - 1) * random)


def array_words(accelerator: Accelerator, share: Share, product: Product) -> Words:
    """Words of a dense product between the DRAM and one array's buffer, by tensor."""
    accumulated = ACCUMULATED[product]
    return dram_words(accelerator.buffer_words, share.work.shape, share.tensors, accumulated)


def saved_words(accelerator: Accelerator, work: Work, product: Product, *, training: bool) -> int:
    """Signature Table and Hitmap of an array's vectors, written by the forward product, read by others."""
    if product == "forward" and not training:
        return 0
    vectors = work.shape.scopes * work.shape.vectors
    return -(-vectors * (work.bits + id_bits(accelerator, work) + STATE_BITS) // accelerator.word_bits)


def random_words(work: Work) -> int:
    """Random filters that an array reads, once a layer."""
    return work.shape.length * work.bits


def id_bits(accelerator: Accelerator, work: Work) -> int:
    """Bits of an entry's id, which the Signature Table holds beside the signature (paper V)."""
    return number_bits(work.shape.vectors if accelerator.entries is None else accelerator.entries)


def number_bits(count: int) -> int:
    """Bits of a number that tells one of so many: of an MCACHE entry, or of a vector within its scope."""
    return max(count - 1, 1).bit_length()
