"""What decides which layers are on, step by step?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from mercuric.reuse.observation import Observation
from mercuric.saved_state import Finite, Text, Whole


@dataclass(frozen=True)
class Cost:
    """What one batch through one layer cost, in any unit (cycles, milliseconds); costs add up.

    Attributes:
        signatures_and_products: C_S, signatures and products of all training passes, with reuse.
        baseline: C_B, the same products without reuse.
    """

    signatures_and_products: Finite
    baseline: Finite

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.signatures_and_products + other.signatures_and_products, self.baseline + other.baseline
        )


CostModel = Callable[[Observation], Cost]
"""What an observed product costs; a layer's cost is the sum over its observations of a step."""


@dataclass(frozen=True)
class Change:
    """Something that adaptation changed.

    Attributes:
        step: after how many steps, counted from 1.
        layer: the layer that turned off, or on; None where the bits of all layers grew.
        what: ``"bits"``, ``"off"`` or ``"on"``.
        before: signature length in bits; 0 or 1 where milliseconds switch a layer.
        after: the same afterwards; 0 for a layer that turned off.
    """

    step: Whole
    layer: Text | None
    what: Literal["bits", "off", "on"]
    before: Whole
    after: Whole


class Judge(Protocol):
    """Follows a training and says what must change; changes nothing itself.

    Attributes:
        history: every change so far.
        by_milliseconds: whether it goes by this machine's milliseconds alone, which are then measured of
            layers that are off as well.
        every: training steps from one measurement of a layer to the next, where milliseconds are the costs.
    """

    history: list[Change]
    by_milliseconds: bool
    every: int

    def step(self, loss: float, costs: Mapping[str, Cost | None]) -> list[Change]:
        """Follow one training step; returns what must change before the next.

        Args:
            loss: mean loss of the step's batch.
            costs: layer to cost; None for a layer that has none from this step.
        """

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, and the history, ready for JSON."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave; on an error nothing has changed.

        Raises:
            ValueError: it is of other layers or another judge, or is broken.
        """
