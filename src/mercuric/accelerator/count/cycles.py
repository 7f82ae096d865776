"""How many cycles did it take, with and without reuse?"""

from dataclasses import asdict, dataclass, field

from mercuric.saved_state import Whole

Counts = dict[str, int]


@dataclass(frozen=True)
class Cycles:
    """Exact cycle counts of the same work on both designs; they add up.

    Attributes:
        baseline: cycles without reuse (C_B of paper III-D).
        product: cycles of the products with reuse.
        signature: cycles of the signatures that reuse needs.
        stall: cycles that reuse adds by waiting: for insertion queues, for results that a HIT reads
            before they are there, for results to be sent.
    """

    baseline: Whole = 0
    product: Whole = 0
    signature: Whole = 0
    stall: Whole = 0

    @property
    def mercury(self) -> int:
        """Cycles with reuse, signatures and stalls included (C_S of paper III-D)."""
        return self.product + self.signature + self.stall

    @property
    def speedup(self) -> float:
        """Baseline cycles over cycles with reuse; 1 where there was no work."""
        return self.baseline / self.mercury if self.mercury else 1.0

    def __add__(self, other: "Cycles") -> "Cycles":
        return Cycles(
            self.baseline + other.baseline,
            self.product + other.product,
            self.signature + other.signature,
            self.stall + other.stall,
        )


@dataclass(frozen=True)
class TrainingCycles:
    """Cycles of a layer's three products; they add up.

    Attributes:
        forward: outputs, and the signatures.
        input_gradient: dO, the gradient of the layer's input.
        weight_gradient: dW, the gradient of its weight.
    """

    forward: Cycles = field(default_factory=Cycles)
    input_gradient: Cycles = field(default_factory=Cycles)
    weight_gradient: Cycles = field(default_factory=Cycles)

    @property
    def total(self) -> Cycles:
        """Cycles of the three products together."""
        return self.forward + self.input_gradient + self.weight_gradient

    def __add__(self, other: "TrainingCycles") -> "TrainingCycles":
        return TrainingCycles(
            self.forward + other.forward,
            self.input_gradient + other.input_gradient,
            self.weight_gradient + other.weight_gradient,
        )

    def to_dict(self) -> dict[str, Counts]:
        """Plain integers, ready for JSON."""
        return asdict(self)
