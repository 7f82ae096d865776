"""What is weight stationary, read literally? A filter a PE, and input vectors are broadcast (paper IV).

An element of a vector goes to all PEs in a cycle. The random filters are loaded before the others and are
a pass of their own, so that a signature of 20 bits costs as much as any number of filters up to the PEs.
"""

import numpy as np

from mercuric.accelerator.dataflows.bus.cycles import Given, Layout, Spent
from mercuric.accelerator.dataflows.bus.dataflow import Bus
from mercuric.accelerator.dataflows.systolic.traffic import MatrixProduct
from mercuric.accelerator.dataflows.traffic import ArrayTraffic
from mercuric.accelerator.energy.operands import Words
from mercuric.accelerator.hardware import Accelerator
from mercuric.trace.work import Product

_BESIDE_WEIGHTS = 2  # words of a register file: an input and a sum


def spent(pes: int, product: Product, given: Given) -> Spent:
    """Weights are loaded; in dW their sums stay instead, and leave while the last vector streams."""
    passes = -(-given.filters // pes)
    streams = np.maximum(given.vectors * given.length + given.skipped, given.passing)
    load = 0 if product == "weight_gradient" else given.length
    loads = load * passes * int(np.count_nonzero(given.vectors))
    return Spent(loads, passes * int(streams.sum()))


def traffic(accelerator: Accelerator, of: MatrixProduct) -> ArrayTraffic:
    """Weights and sums are in the registers; every element is delivered to each PE that has a filter."""
    pieces = -(-of.length // (accelerator.register_file_words - _BESIDE_WEIGHTS))
    passes = -(-of.filters // accelerator.pes)
    loaded = int(np.count_nonzero(of.vectors)) * of.length * of.filters
    visits = Words(of.streamed * of.length * passes, loaded, of.streamed * of.filters * pieces)
    return ArrayTraffic(of.macs, 3 * of.macs + loaded, of.macs + loaded, visits, pieces, pieces * passes)


def results(accelerator: Accelerator, filters: int | None) -> int:
    """A result of each filter in the PEs."""
    return accelerator.pes if filters is None else max(1, min(filters, accelerator.pes))


BROADCAST = Bus("broadcast", Layout(spent, stays=False), traffic, results)
