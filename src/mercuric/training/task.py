"""What does a network learn, and how well has it?"""

from typing import Protocol

import torch
from torch import Tensor, nn


class Task(Protocol):
    """Training examples with their loss, and a test of what was learned."""

    @property
    def metric(self) -> str:
        """The score's name, ``"accuracy"`` or ``"bleu"``; larger is better."""
        ...

    def __len__(self) -> int:
        """How many training examples there are."""
        ...

    def loss(self, model: nn.Module, indices: Tensor, generator: torch.Generator | None) -> Tensor:
        """The mean loss of a batch, with its graph.

        Args:
            model: moved to its device and in training mode by the caller.
            indices: (B,) int64 on the CPU, each from 0 to ``len(self) - 1``.
            generator: what the task's own random choices (as augmentation) are drawn from; with None
                it makes none.

        Returns:
            A scalar.
        """
        ...

    def weight(self, indices: Tensor) -> int:
        """Of how much a batch's loss is the mean: examples, or subwords."""
        ...

    def evaluate(self, model: nn.Module, batch_size: int) -> dict[str, float]:
        """``test_loss``, and the score as ``test_`` and its name, over all test examples.

        The model computes in evaluation mode and without gradients; ``model.training`` is afterwards
        as it was before.
        """
        ...
