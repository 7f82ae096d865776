"""How many cycles does a layer take on an accelerator, whatever its dataflow?"""

from mercuric.accelerator.count.array_cycles import latencies
from mercuric.accelerator.count.cycles import Cycles, TrainingCycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.energy.operands import Operands
from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.observation import ObservedProduct
from mercuric.trace.work import Product, Work


def product_cycles(
    accelerator: Accelerator, work: Work, tensors: Operands | None = None
) -> dict[Timing, Cycles]:
    """Cycles of one product with and without reuse, in both timings; ``tensors`` as below.

    Raises:
        ValueError: the array is too small for the layer's vectors.
    """
    return latencies(accelerator, work, ["forward"], tensors)["forward"]


def training_cycles(
    accelerator: Accelerator,
    work: Work,
    *,
    needs_input_gradient: bool = True,
    training: bool = True,
    tensors: Operands | None = None,
) -> dict[Timing, TrainingCycles]:
    """Cycles of the products that go by a layer's forward Hitmap, in both timings.

    Args:
        accelerator: what is simulated.
        work: the layer's input vectors and their Hitmap.
        needs_input_gradient: False for a layer without a dO product, or with one of its own Hitmap.
        training: False for the forward product alone.
        tensors: what the layer reads and writes; None: nothing waits for DRAM or link.

    Raises:
        ValueError: the array is too small for the layer's vectors.
    """
    products: list[Product] = ["forward"]
    if training:
        products += ["input_gradient", "weight_gradient"] if needs_input_gradient else ["weight_gradient"]
    counted = latencies(accelerator, work, products, tensors, training=training)
    return {
        timing: TrainingCycles(**{product: cycles[timing] for product, cycles in counted.items()})
        for timing in TIMINGS
    }


def observed_cycles(
    accelerator: Accelerator,
    work: Work,
    product: ObservedProduct,
    *,
    needs_input_gradient: bool,
    training: bool = True,
    tensors: Operands | None = None,
) -> dict[Timing, TrainingCycles]:
    """Cycles of the products that an observed one stands for, in both timings.

    Args:
        accelerator, work, needs_input_gradient, training, tensors: as for :func:`training_cycles`.
        product: ``"forward"``, or ``"input_gradient"`` for gradient vectors (paper III-C2): the layer's dO
            product by a Hitmap and signatures of its own.

    Raises:
        ValueError: the array is too small for the layer's vectors.
    """
    if product == "forward":
        return training_cycles(
            accelerator, work, needs_input_gradient=needs_input_gradient, training=training, tensors=tensors
        )
    if not training:
        return {timing: TrainingCycles() for timing in TIMINGS}
    cycles = product_cycles(accelerator, work, tensors)
    return {timing: TrainingCycles(input_gradient=cycles[timing]) for timing in TIMINGS}
