"""What does a batch through a layer cost in cycles, for adaptation? Paper III-D: C_S and C_B."""

from mercuric.accelerator.count.arrival import counted_work
from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.count.layer_cycles import observed_cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.hardware import Accelerator, as_accelerator
from mercuric.errors import ArgumentError
from mercuric.reuse.judge.judge import Cost
from mercuric.reuse.observation import Observation


class CycleCost:
    """Cycles of an observed product with and without reuse, on an accelerator.

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
            raise ArgumentError(f"timing was {timing!r}, but must be one of {', '.join(map(repr, TIMINGS))}")
        self.accelerator = as_accelerator(accelerator)
        self.timing: Timing = timing

    def __call__(self, observation: Observation) -> Cost:
        """C_S and C_B of the observation, in cycles; they are equal where reuse is off.

        Raises:
            ValueError: the Hitmap does not fit the shape, or the array is too small for the vectors.
        """
        work = counted_work(observation, self.accelerator)
        needed = observation.needs_input_gradient
        cycles = observed_cycles(
            self.accelerator, work, observation.product, needs_input_gradient=needed,
            reloaded=observation.reloaded,
        )  # fmt: skip
        return cost_of(cycles[self.timing].total)


def cost_of(cycles: Cycles) -> Cost:
    """C_S and C_B of cycles."""
    return Cost(cycles.mercury, cycles.baseline)
