"""Which layers are faster than dense on this machine?"""

from collections.abc import Mapping, Sequence
from typing import Any

from mercuric.config import mismatches
from mercuric.errors import ArgumentError
from mercuric.reuse.judge.judge import Change, Cost
from mercuric.saved_state import SavedState, Switch, Whole

CLEARLY = 0.95
"""Share of the dense milliseconds that a layer must stay under to turn on; what is on stays so under 1."""


def clearly_faster(cost: Cost, share: float = CLEARLY) -> bool:
    """Whether reuse takes less than this share of the dense layer's milliseconds."""
    return cost.signatures_and_products < share * cost.baseline


class KeepFasterState(SavedState):
    """Where the judge stands, and the history; ``on`` is None for a layer that was not measured yet."""

    on: dict[str, Switch | None]
    step: Whole
    history: list[Change]


class KeepFaster:
    """Follows the layers' measured milliseconds; a layer is on where it was measured to be faster than dense.

    Clearly faster, the first time and after it was slower, so that noise doesn't decide.

    Args:
        layers: names of the layers, all on until they are measured.

    Attributes:
        history: every change so far.
    """

    by_milliseconds = True
    every = 1000

    def __init__(self, layers: Sequence[str]) -> None:
        self.history: list[Change] = []
        self._on: dict[str, bool | None] = dict.fromkeys(layers)
        self._step = 0

    def step(self, loss: float, costs: Mapping[str, Cost | None]) -> list[Change]:  # noqa: ARG002 - milliseconds alone decide
        """Follow one training step; returns which layers must turn on or off before the next.

        Args:
            costs: layer to milliseconds; None for a layer that was not measured.
        """
        self._step += 1
        changes = []
        for name, cost in costs.items():
            if cost is None:
                continue
            faster = clearly_faster(cost, 1.0 if self._on[name] else CLEARLY)
            was_on, self._on[name] = self._on[name] is not False, faster
            if faster != was_on:
                changes.append(
                    Change(self._step, name, "on" if faster else "off", int(not faster), int(faster))
                )
        self.history += changes
        return changes

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, and the history, ready for JSON."""
        return KeepFasterState(on=self._on, step=self._step, history=self.history).plain()

    def checked(self, state: object) -> KeepFasterState:
        """What :meth:`state_dict` gave, if it is of these layers.

        Raises:
            ValueError: it is not, or is broken.
        """
        saved = KeepFasterState.of(state, "the state of what is faster")
        if different := mismatches({"layers": sorted(saved.on)}, {"layers": sorted(self._on)}):
            raise ArgumentError(f"the state is of another model: {'; '.join(different)}")
        return saved

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave; on an error nothing has changed.

        Raises:
            ValueError: it is of other layers, or is broken.
        """
        saved = self.checked(state)
        self._on = {name: saved.on[name] for name in self._on}
        self._step, self.history = saved.step, list(saved.history)
