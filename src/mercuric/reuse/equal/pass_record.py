"""What happened to shared tensors in a pass of a model?"""

from collections import Counter
from collections.abc import Hashable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from mercuric.reuse.equal.plan import Passed


class Functions(Protocol):
    """What a model computes by calling functions."""

    def call(self, name: str) -> Any:
        """The state of a product of this name, as a layer has one."""


class PassRecord:
    """Goes with every shared tensor of a model's pass.

    Attributes:
        channels_last: whether the model was given channels_last images, as its dense tensors are then.
        expanded: numbers that were written densely, by the function that asked for them.
        last: the function that asked last; "" where none did.
        looked: whether the input was looked at.
        gained: seconds, by the layers that went by classes and were measured, less those of looking and of
            writing dense tensors.
        paid: whether layers went by classes, and gained something where they were measured.
        decided: whether layers go by classes, by what tells apart their calls.
        functions: products that the model calls as functions.
    """

    def __init__(
        self,
        channels_last: bool = False,
        looked: bool = True,
        decided: dict[Hashable, Any] | None = None,
        functions: Functions | None = None,
    ) -> None:
        self.channels_last = channels_last
        self.expanded: Counter[str] = Counter()
        self.last = ""
        self.looked = looked
        self.gained = 0.0
        self.decided = {} if decided is None else decided
        self.functions = functions
        self._measured = self._unmeasured = False
        self._writing = 0.0  # seconds a number

    @property
    def paid(self) -> bool:
        """See above."""
        return self.gained > 0 if self._measured else self._unmeasured

    def goes_by_classes(self, passed: Passed | None, channels: int = 1) -> None:
        """Note a layer.

        Args:
            passed: what it was like; None where it was not measured.
            channels: of its output.
        """
        if passed is None:
            self._unmeasured = True
            return
        speed, self._measured = passed.speed, True
        self.gained += passed.positions * (speed.position - speed.table) - passed.classes * speed.row
        self._writing = speed.expansion / channels

    def expands(self, function: str, numbers: int) -> None:
        """Note that a function got a dense tensor of so many numbers."""
        self.expanded[function] += numbers
        self.gained -= numbers * self._writing
        self.last = function


def is_recomputed() -> bool:
    """Whether a backward pass computes a part of the forward pass again: checkpointing."""
    return torch._C._current_graph_task_id() != -1


def unseen_by_checkpoints() -> saved_tensors_hooks:
    """Within, checkpoints do not count what is saved: when they compute again, it is there already."""
    return saved_tensors_hooks(_itself, _itself)


def _itself(tensor: Tensor) -> Tensor:
    return tensor
