"""Which words does an array move for one product? Closed forms are those of ``docs/energy.md``."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercuric.accelerator.energy.energies import WordCosts
from mercuric.accelerator.energy.operands import Operands, Words
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import VectorShape

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class DotProducts:
    """The dot products that an array computes for one product of a layer.

    Attributes:
        shape: the layer's input vectors.
        kind: of the layer.
        operands: its tensors.
        vectors: int64, (scopes,): vectors that are multiplied; all of ``shape.vectors`` without reuse.
        costs: of the words, for a dataflow that chooses what it keeps where by them.
        whole: scopes that add up to one output, and images that share filters, are worked on together,
            as a dense array can; else scope by scope, as MERCURY does. Only where all are computed.
        kept: whether results are kept in the MCACHE, so that it says how many filters are under way.
    """

    shape: VectorShape
    kind: Kind
    operands: Operands
    vectors: Counts
    costs: WordCosts
    whole: bool
    kept: bool = False


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
        queued: whether vectors' numbers wait in a queue, and results go to and from the MCACHE through a
            crossbar, a word of the array's network each.
    """

    macs: int
    register_file: int
    pe_to_pe: int
    visits: Words
    sums: int
    passes: int
    queued: bool = False
