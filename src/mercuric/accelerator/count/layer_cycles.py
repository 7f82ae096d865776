"""How many cycles does a layer take on an accelerator, whatever its dataflow?"""

from dataclasses import replace

from mercuric.accelerator.count.array_cycles import latencies
from mercuric.accelerator.count.cycles import Cycles, TrainingCycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.energy.operands import Operands
from mercuric.accelerator.gradient_signatures import signs_gradient
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
    signs_input_gradient: bool = False,
    tensors: Operands | None = None,
) -> dict[Timing, TrainingCycles]:
    """Cycles of the products that go by a layer's forward Hitmap, in both timings.

    Args:
        accelerator: what is simulated.
        work: the layer's input vectors and their Hitmap.
        needs_input_gradient: False for a layer without a dO product, or with one of its own Hitmap.
        training: False for the forward product alone.
        signs_input_gradient: whether dO pays for signatures as well, as many as the forward product's.
        tensors: what the layer reads and writes; None: nothing waits for DRAM or link.

    Raises:
        ValueError: the array is too small for the layer's vectors.
    """
    products: list[Product] = ["forward"]
    if training:
        products += ["input_gradient", "weight_gradient"] if needs_input_gradient else ["weight_gradient"]
    counted = latencies(
        accelerator, work, products, tensors, training=training, signs_input_gradient=signs_input_gradient
    )
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
    reloaded: bool | None = None,
    tensors: Operands | None = None,
) -> dict[Timing, TrainingCycles]:
    """Cycles of the products that an observed one stands for, in both timings.

    What dO pays for signatures is up to ``accelerator.gradient_signatures``.

    Args:
        accelerator, work, needs_input_gradient, training, tensors: as for :func:`training_cycles`.
        product: ``"forward"``, or ``"input_gradient"`` for gradient vectors (paper III-C2): the layer's dO
            product by a Hitmap and signatures of its own.
        reloaded: whether the following layer's signatures serve the gradient vectors; None: not known.

    Raises:
        ValueError: the array is too small for the layer's vectors, or it isn't known whether signatures that
            the accelerator reloads are there.
    """
    has_gradient = training and (needs_input_gradient or product == "input_gradient")
    signs = has_gradient and work.hitmap is not None and signs_gradient(accelerator, product, reloaded)
    if product == "forward":
        return training_cycles(
            accelerator, work, needs_input_gradient=needs_input_gradient, training=training,
            signs_input_gradient=signs, tensors=tensors,
        )  # fmt: skip
    if not training:
        return {timing: TrainingCycles() for timing in TIMINGS}
    cycles = product_cycles(accelerator, work if signs else replace(work, bits=0), tensors)
    return {timing: TrainingCycles(input_gradient=cycles[timing]) for timing in TIMINGS}
