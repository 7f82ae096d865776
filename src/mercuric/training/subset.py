"""How is a task learned from fewer examples, the same ones in every run?"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.training.task import Task

_SEED = 2023


def first_of_shuffle(count: int, there: int) -> Tensor:
    """(count,) int64: places from 0 to ``there - 1``, of a shuffle that depends on ``there`` alone."""
    return torch.randperm(there, generator=torch.Generator().manual_seed(_SEED))[:count]


@dataclass(frozen=True)
class FewerExamples:
    """A task with ``count`` of its training examples and its whole test; a :class:`~mercuric.training.Task`.

    They are the first of a shuffle that depends on nothing but how many examples there are, so that
    classes are mixed and a larger ``count`` adds to a smaller one.

    Attributes:
        task: the whole task.
        count: how many examples to keep.

    Raises:
        ValueError: ``count`` is below 1 or above the examples there are.
    """

    task: Task
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.count <= len(self.task):
            raise ArgumentError(
                f"train_examples was {self.count}, but must be from 1 to the {len(self.task)} there are"
            )

    @cached_property
    def kept(self) -> Tensor:
        """(count,) int64: the examples' places in the whole task."""
        return first_of_shuffle(self.count, len(self.task))

    @property
    def metric(self) -> str:
        """The whole task's."""
        return self.task.metric

    def __len__(self) -> int:
        return self.count

    def loss(self, model: nn.Module, indices: Tensor, generator: torch.Generator | None) -> Tensor:
        """See ``Task.loss``; ``indices`` are from 0 to ``count - 1``."""
        return self.task.loss(model, self.kept[indices], generator)

    def weight(self, indices: Tensor) -> int:
        """See ``Task.weight``."""
        return self.task.weight(self.kept[indices])

    def evaluate(self, model: nn.Module, batch_size: int) -> dict[str, float]:
        """See ``Task.evaluate``."""
        return self.task.evaluate(model, batch_size)
