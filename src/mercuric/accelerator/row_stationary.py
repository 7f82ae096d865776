"""How many cycles does a product take on a row-stationary array, synchronous design?

Closed forms of ``docs/cycle-model.md``; the stepper proves them cycle for cycle.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mercuric.accelerator.cycles import Cycles
from mercuric.accelerator.dot_product import TIMINGS, Timing, drain_cycles, lone_cycles, pipelined_cycles
from mercuric.accelerator.hardware import Accelerator
from mercuric.accelerator.pe_sets import block_sizes, most_misses, pe_sets
from mercuric.accelerator.work import Product, Work
from mercuric.reuse.vectors import VectorShape

HIT_CYCLES = 1
"""A HIT is read by entry id within a fixed delay (paper V, MCACHE Design)."""


def baseline_cycles(accelerator: Accelerator, shape: VectorShape, timing: Timing) -> int:
    """Cycles of one product of a layer without reuse.

    Raises:
        ValueError: the array has fewer PEs than the window has rows.
    """
    sets = pe_sets(accelerator, shape.rows)
    dot_products = shape.filters * max(block_sizes(shape.vectors, sets))
    if timing == "paper":
        return shape.scopes * dot_products * lone_cycles(shape.rows, shape.elements)
    return shape.scopes * pipelined_cycles(shape.rows, shape.elements, dot_products)


def signature_cycles(accelerator: Accelerator, shape: VectorShape, bits: int) -> int:
    """Cycles of ``bits`` signature bits of every input vector: random filters stream one after the other.

    Raises:
        ValueError: the array has fewer PEs than the window has rows.
    """
    sets = pe_sets(accelerator, shape.rows)
    dot_products = bits * max(block_sizes(shape.vectors, sets))
    return shape.scopes * pipelined_cycles(shape.rows, shape.elements, dot_products)


class SynchronousProduct:
    """Cycles of one product of a layer with reuse, all PE sets waiting for the slowest after each filter.

    Reads the Hitmap once and counts either timing from it.

    Args:
        accelerator: whose PEs are used.
        shape: the layer's input vectors.
        states: uint8, (scopes, vectors): the Hitmap's states.

    Raises:
        ValueError: the array has fewer PEs than the window has rows.
    """

    def __init__(self, accelerator: Accelerator, shape: VectorShape, states: Tensor) -> None:
        sets = pe_sets(accelerator, shape.rows)
        self._shape = shape
        self._longer, self._shorter = block_sizes(shape.vectors, sets)
        self._misses = most_misses(states, sets)

    def cycles(self, timing: Timing) -> int:
        """Cycles over all scopes and filters (paper III-C1, Synchronous Design)."""
        slowest = np.maximum(
            self._work(self._misses[:, 0], self._longer, timing),
            self._work(self._misses[:, 1], self._shorter, timing),
        )
        return self._shape.filters * int(slowest.sum())

    def _work(self, misses: NDArray[np.int64], block: int, timing: Timing) -> NDArray[np.int64]:
        """Cycles of a PE set on one filter: more misses are never faster, so the set with most is slowest."""
        rows, elements = self._shape.rows, self._shape.elements
        hits = (block - misses) * HIT_CYCLES
        if timing == "paper":
            return misses * lone_cycles(rows, elements) + hits
        return misses * elements + (misses > 0) * drain_cycles(rows) + hits


def cycles(
    accelerator: Accelerator, work: Work, products: Sequence[Product]
) -> dict[Product, dict[Timing, Cycles]]:
    """Cycles of some of a layer's products with and without reuse, in both timings.

    The gradient of what reuse computed sums a group's gradients before it multiplies: each backward
    product does a dot product's work for a miss and one addition for a HIT, under the saved Hitmap
    (paper III-C2), so it costs what the forward product costs without the signatures.

    Raises:
        ValueError: the array has fewer PEs than the window has rows.
    """
    baselines = {timing: baseline_cycles(accelerator, work.shape, timing) for timing in TIMINGS}
    if work.hitmap is None:
        dense = {timing: Cycles(baseline, baseline) for timing, baseline in baselines.items()}
        return dict.fromkeys(products, dense)
    product = SynchronousProduct(accelerator, work.shape, work.hitmap.states)
    signature = signature_cycles(accelerator, work.shape, work.bits)
    backward = {timing: Cycles(baselines[timing], product.cycles(timing)) for timing in TIMINGS}
    forward = {timing: replace(backward[timing], signature=signature) for timing in TIMINGS}
    return {name: forward if name == "forward" else backward for name in products}
