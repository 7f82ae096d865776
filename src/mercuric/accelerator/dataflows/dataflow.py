"""How many cycles does a layer take on an accelerator, whatever its dataflow?"""

from collections.abc import Callable, Mapping, Sequence

from mercuric.accelerator.count.cycles import Cycles, TrainingCycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.dataflows.row_stationary import cycles as row_stationary
from mercuric.accelerator.dataflows.systolic import input_stationary, output_stationary, weight_stationary
from mercuric.accelerator.hardware import Accelerator, Stationary, unknown_dataflow
from mercuric.trace.work import Product, Work

ProductCycles = Callable[[Accelerator, Work, Sequence[Product]], dict[Product, dict[Timing, Cycles]]]
"""What each dataflow's file defines: the cycles of some of a layer's products, in both timings.

Signatures are counted in ``"forward"`` alone: the backward products go by the saved Hitmap (III-C2).
"""

DATAFLOWS: Mapping[Stationary, ProductCycles] = {
    "row": row_stationary.cycles,
    "weight": weight_stationary.cycles,
    "input": input_stationary.cycles,
    "output": output_stationary.cycles,
}


def product_cycles(accelerator: Accelerator, work: Work) -> dict[Timing, Cycles]:
    """Cycles of one product with and without reuse, in both timings.

    Raises:
        ValueError: the array is too small for the layer's vectors.
    """
    return counted_products(accelerator, work, ["forward"])["forward"]


def counted_products(
    accelerator: Accelerator, work: Work, products: Sequence[Product]
) -> dict[Product, dict[Timing, Cycles]]:
    """Cycles of some of a layer's products, in both timings.

    Raises:
        ValueError: the array is too small for the layer's vectors, or its dataflow is unknown.
    """
    if accelerator.dataflow not in DATAFLOWS:
        raise unknown_dataflow(accelerator)
    return DATAFLOWS[accelerator.dataflow](accelerator, work, products)


def training_cycles(
    accelerator: Accelerator, work: Work, *, needs_input_gradient: bool = True, training: bool = True
) -> dict[Timing, TrainingCycles]:
    """Cycles of the products that go by a layer's forward Hitmap, in both timings.

    Args:
        accelerator: what is simulated.
        work: the layer's input vectors and their Hitmap.
        needs_input_gradient: False for a layer without a dO product, or with one of its own Hitmap.
        training: False for the forward product alone.

    Raises:
        ValueError: the array is too small for the layer's vectors.
    """
    products: list[Product] = ["forward"]
    if training:
        products += ["input_gradient", "weight_gradient"] if needs_input_gradient else ["weight_gradient"]
    counted = counted_products(accelerator, work, products)
    return {
        timing: TrainingCycles(**{product: cycles[timing] for product, cycles in counted.items()})
        for timing in TIMINGS
    }
