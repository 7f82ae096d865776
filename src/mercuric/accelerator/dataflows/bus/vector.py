"""What is input stationary, read literally? One input vector at a time, an element a PE (paper IV).

A filter's weights go to the PEs in a cycle, the random filters first; a vector that hits skips the rest of
the weights.
"""

import numpy as np

from mercuric.accelerator.dataflows.bus.cycles import Given, Layout, Spent
from mercuric.accelerator.dataflows.bus.dataflow import Bus
from mercuric.accelerator.dataflows.scopes import shared_out
from mercuric.accelerator.dataflows.systolic.traffic import MatrixProduct
from mercuric.accelerator.dataflows.traffic import ArrayTraffic
from mercuric.accelerator.energy.operands import Words
from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError
from mercuric.trace.work import Product


def spent(pes: int, _product: Product, given: Given) -> Spent:
    """A piece of the vector is loaded in a cycle (in dO its gradient leaves in one), then filters stream."""
    if not given.filters:
        return Spent()
    pieces = -(-given.length // pes)
    count, turns, skipped = shared_out(given.vectors, given.passing, given.skipped)
    streams = np.maximum(pieces * given.filters + skipped, given.filters * turns)
    loads = pieces * int(given.vectors.sum())
    return Spent(loads, int((count * streams).sum()))


def traffic(accelerator: Accelerator, of: MatrixProduct) -> ArrayTraffic:
    """Vectors are in the registers; every vector takes all weights from the buffer, and PEs add up."""
    pieces = -(-of.length // accelerator.pes)
    visits = Words(of.streamed * of.length, of.macs, of.streamed * of.filters * pieces)
    moved = 2 * of.macs + visits.inputs - visits.outputs
    # A vector is finished before the next, so that one result is kept of it and its list is read once.
    return ArrayTraffic(of.macs, of.macs + visits.inputs, moved, visits, sums=1, passes=1)


def results(accelerator: Accelerator, filters: int | None) -> int:
    """A result of every filter: a vector that hits skips them all."""
    if filters is None:
        raise ArgumentError(
            f"results was None, but must be given for accelerator {accelerator.name!r}: where one vector is "
            "worked on at a time, an MCACHE entry holds as many as the layer has filters"
        )
    return max(1, filters)


VECTOR = Bus("vector", Layout(spent, stays=True), traffic, results)
