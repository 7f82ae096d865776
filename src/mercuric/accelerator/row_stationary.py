"""How many cycles does a product take on a row-stationary array, synchronous design?

Closed forms of ``docs/cycle-model.md``; the stepper proves them cycle for cycle.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mercuric.accelerator.cycles import Cycles, TrainingCycles
from mercuric.accelerator.dot_product import TIMINGS, Timing, drain_cycles, lone_cycles, pipelined_cycles
from mercuric.accelerator.hardware import Accelerator
from mercuric.accelerator.pe_sets import block_sizes, most_misses, pe_sets
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap

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
        ValueError: ``bits`` is negative, or the array has fewer PEs than the window has rows.
    """
    if bits < 0:
        raise ValueError(f"bits was {bits}, but must be 0 (no signature is computed) or more")
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
        ValueError: ``states`` is not of this shape or type, or the array has fewer PEs than the
            window has rows.
    """

    def __init__(self, accelerator: Accelerator, shape: VectorShape, states: Tensor) -> None:
        expected = (shape.scopes, shape.vectors)
        if tuple(states.shape) != expected or states.dtype != torch.uint8:
            raise ValueError(
                f"states was {states.dtype} of shape {tuple(states.shape)}, but must be torch.uint8 of shape "
                f"{expected} (scopes, vectors)"
            )
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


def product_cycles(
    accelerator: Accelerator, shape: VectorShape, hitmap: Hitmap | None, bits: int
) -> dict[Timing, Cycles]:
    """Cycles of one product with and without reuse, in both timings; the Hitmap is read once.

    Args:
        accelerator: whose PEs are used.
        shape: the product's input vectors.
        hitmap: states of (``shape.scopes``, ``shape.vectors``); None where reuse is off: the product
            then costs the baseline on both sides.
        bits: length of the signatures that are computed; 0 where saved ones are used again.

    Raises:
        ValueError: the Hitmap does not fit the shape, ``bits`` is negative, or the array has fewer PEs
            than the window has rows.
    """
    baselines = {timing: baseline_cycles(accelerator, shape, timing) for timing in TIMINGS}
    if hitmap is None:
        return {timing: Cycles(baseline, baseline) for timing, baseline in baselines.items()}
    product = SynchronousProduct(accelerator, shape, hitmap.states)
    signature = signature_cycles(accelerator, shape, bits)
    return {
        timing: Cycles(baseline, product.cycles(timing), signature) for timing, baseline in baselines.items()
    }


def training_cycles(
    forward: Cycles, *, needs_input_gradient: bool = True, training: bool = True
) -> TrainingCycles:
    """A layer's three products, from the cycles of its forward product.

    The gradient of what reuse computed sums a group's gradients before it multiplies: each backward
    product does a dot product's work for a miss and one addition for a HIT, under the saved Hitmap
    (paper III-C2), so it costs what the forward product costs without the signatures.
    """
    if not training:
        return TrainingCycles(forward)
    product = forward.without_signature()
    return TrainingCycles(forward, product if needs_input_gradient else Cycles(), product)
