"""How many cycles do a layer's products take on all arrays together, with their words on the way?"""

from collections.abc import Sequence
from dataclasses import replace

from mercuric.accelerator.arrays import Share, shares
from mercuric.accelerator.count.cycles import Cycles, Moving
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.energy.operands import Operands
from mercuric.accelerator.energy.transfers import Transfers, dense_transfers, mercury_transfers
from mercuric.accelerator.hardware import Accelerator
from mercuric.trace.work import Product, Work


def latencies(
    accelerator: Accelerator,
    work: Work,
    products: Sequence[Product],
    tensors: Operands | None = None,
    *,
    training: bool = True,
    signs_input_gradient: bool = False,
) -> dict[Product, dict[Timing, Cycles]]:
    """Cycles of some of a layer's products, beside which their words move (``docs/cycle-model.md``).

    Args:
        accelerator: what is simulated.
        work: the layer's input vectors and their Hitmap.
        products: which.
        tensors: what the layer reads and writes; None: nobody knows, and nothing waits for it.
        training: whether signatures and Hitmap are saved for the backward products.
        signs_input_gradient: whether dO, beside the forward product, pays for as many signatures.

    Raises:
        ValueError: an array is too small for the layer's vectors.
    """
    parts = shares(accelerator, work, tensors)
    counted = _array_cycles(accelerator, parts, products, signs_input_gradient)
    if tensors is None or not accelerator.waits:
        return counted
    for product, timings in counted.items():
        dense = _moving(accelerator, dense_transfers(accelerator, parts, product))
        signed = product == "forward" or (product == "input_gradient" and signs_input_gradient)
        moved = mercury_transfers(accelerator, parts, product, training=training, signed=signed)
        mercury = _moving(accelerator, moved)
        counted[product] = {timing: cycles.beside(dense, mercury) for timing, cycles in timings.items()}
    return counted


def _array_cycles(
    accelerator: Accelerator, parts: Sequence[Share], products: Sequence[Product], signs_input_gradient: bool
) -> dict[Product, dict[Timing, Cycles]]:
    """Without waiting for words; arrays wait for the slowest one after each product."""
    dataflow = dataflow_of(accelerator)
    each = [dataflow.cycles(accelerator, part.work, products) for part in parts]
    if signs_input_gradient and "input_gradient" in products:
        for one in each:
            pairs = {timing: (one["input_gradient"][timing], one["forward"][timing]) for timing in TIMINGS}
            one["input_gradient"] = {timing: _signed(*pair) for timing, pair in pairs.items()}
    return {
        product: {timing: _slowest([one[product][timing] for one in each]) for timing in TIMINGS}
        for product in products
    }


def _moving(accelerator: Accelerator, words: Transfers) -> Moving:
    return Moving(accelerator.dram_cycles(words.dram), accelerator.link_cycles(words.link))


def _slowest(each: Sequence[Cycles]) -> Cycles:
    """The slowest without reuse beside the slowest with it, which may be another array."""
    mercury = max(each, key=lambda cycles: cycles.mercury)
    baseline = max(cycles.baseline for cycles in each)
    return Cycles(baseline, mercury.product, mercury.signature, mercury.stall)


def _signed(gradient: Cycles, forward: Cycles) -> Cycles:
    """dO with the signatures of the forward product, and the stalls that these bring."""
    return replace(gradient, signature=forward.signature, stall=max(gradient.stall, forward.stall))
