"""How many cycles did it take, with and without reuse?"""

from dataclasses import asdict, dataclass, field, fields, replace

from mercuric.accelerator.hardware import Accelerator
from mercuric.saved_state import Whole

Counts = dict[str, int]


@dataclass(frozen=True)
class Cycles:
    """Exact cycle counts of the same work on both designs; they add up.

    Attributes:
        baseline: cycles without reuse (C_B of paper III-D), waiting included.
        product: cycles of the products with reuse.
        signature: cycles of the signatures that reuse needs.
        stall: cycles that reuse adds by waiting: for insertion queues, for results that a HIT reads
            before they are there, for results to be sent.
        dram: cycles with reuse in which the arrays wait for the DRAM.
        link: cycles with reuse in which they wait for words from each other.
        baseline_dram: cycles of the baseline in which it waits for the DRAM.
        baseline_link: cycles of the baseline in which arrays wait for words from each other.
    """

    baseline: Whole = 0
    product: Whole = 0
    signature: Whole = 0
    stall: Whole = 0
    dram: Whole = 0
    link: Whole = 0
    baseline_dram: Whole = 0
    baseline_link: Whole = 0

    @property
    def mercury(self) -> int:
        """Cycles with reuse, signatures, stalls and waiting included (C_S of paper III-D)."""
        return self.product + self.signature + self.stall + self.dram + self.link

    @property
    def speedup(self) -> float:
        """Baseline cycles over cycles with reuse; 1 where there was no work."""
        return self.baseline / self.mercury if self.mercury else 1.0

    def __add__(self, other: "Cycles") -> "Cycles":
        return Cycles(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))

    def beside(self, baseline: "Moving", mercury: "Moving") -> "Cycles":
        """The same while words move: whichever takes longest decides.

        Args:
            baseline: without reuse.
            mercury: with it.
        """
        dense_dram, dense_link = baseline.waiting(self.baseline)
        dram, link = mercury.waiting(self.mercury)
        return replace(
            self, baseline=self.baseline + dense_dram + dense_link, baseline_dram=dense_dram,
            baseline_link=dense_link, dram=dram, link=link,
        )  # fmt: skip


@dataclass(frozen=True)
class Moving:
    """Cycles in which the words of a product move; 0 where nothing bounds them."""

    dram: int
    link: int

    def waiting(self, cycles: int) -> tuple[int, int]:
        """What arrays that need ``cycles`` wait for DRAM and link; the slower one has all of it."""
        wait = max(self.dram, self.link, cycles) - cycles
        return (wait, 0) if self.dram >= self.link else (0, wait)


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


def waiting_parts(accelerator: Accelerator) -> list[str]:
    """Parts of :class:`Cycles` that are more than 0 on this accelerator alone because words are bounded."""
    bounded = {
        "dram": accelerator.dram_words_per_cycle is not None,
        "link": accelerator.arrays > 1 and accelerator.link_words_per_cycle is not None,
    }
    return [part for what, there in bounded.items() if there for part in (f"baseline_{what}", what)]
