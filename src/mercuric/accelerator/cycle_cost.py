"""What does a batch through a layer cost in cycles, for adaptation? Paper III-D: C_S and C_B."""

from mercuric.accelerator.dot_product import TIMINGS, Timing
from mercuric.accelerator.hardware import Accelerator, as_accelerator
from mercuric.accelerator.row_stationary import product_cycles, training_cycles
from mercuric.reuse.adaptation import Cost
from mercuric.reuse.observation import Observation


class CycleCost:
    """Cycles of an observed product with and without reuse, on a row-stationary array.

    A forward observation stands for the products that go by its Hitmap: the forward product with its
    signatures, dW, and dO where ``needs_input_gradient``. An observation of the input gradient stands
    for dO alone, with signatures of its own where ``bits`` is not 0 (paper III-C2).

    Args:
        accelerator: a preset's name, or a description.
        timing: ``"paper"`` or ``"fair"``.

    Raises:
        ValueError: no preset or timing has this name.
    """

    def __init__(self, accelerator: str | Accelerator = "eyeriss-168", timing: Timing = "paper") -> None:
        if timing not in TIMINGS:
            raise ValueError(f"timing was {timing!r}, but must be one of {', '.join(map(repr, TIMINGS))}")
        self.accelerator = as_accelerator(accelerator)
        self.timing: Timing = timing

    def __call__(self, observation: Observation) -> Cost:
        """C_S and C_B of the observation, in cycles; they are equal where reuse is off.

        Raises:
            ValueError: the Hitmap does not fit the shape, ``bits`` is negative, or the accelerator
                has fewer PEs than the window has rows.
        """
        cycles = product_cycles(self.accelerator, observation.shape, observation.hitmap, observation.bits)
        product = cycles[self.timing]
        if observation.product == "forward":
            product = training_cycles(product, needs_input_gradient=observation.needs_input_gradient).total
        return Cost(product.mercury, product.baseline)
