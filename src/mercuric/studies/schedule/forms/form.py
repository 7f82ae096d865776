"""What must a way to finish sooner say, so that networks can be trained in it?"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from mercuric.data import ImageData
from mercuric.errors import MercuricError
from mercuric.subjects.lesson import Lesson


class Unfit(MercuricError):  # noqa: N818 - what the network is, as Diverged
    """A network or data that a form can't take; its sentence says why."""


@dataclass(frozen=True)
class Stage:
    """A part of a schedule whose steps are of one kind.

    Attributes:
        name: as ``"full rank"``.
        share: of the schedule's steps; None: the learner says when it ends (:meth:`Learner.due`).
    """

    name: str
    share: float | None = 1.0


@dataclass(frozen=True)
class Ground:
    """What all trainings of a study share.

    Attributes:
        lesson: network and data.
        rank: directions or ranks of forms that need one, as a share of a layer's filters.
        width: channels of the narrower network, times this.
        bits: of MERCURY's signatures.
        faster: layer to how many times faster it was in ``rank`` of its directions than densely; of layers
            that have directions.
    """

    lesson: Lesson
    rank: float = 0.25
    width: float = 0.5
    bits: int = 20
    faster: Mapping[str, float] = field(default_factory=dict)

    @property
    def network(self) -> str:
        """Its name."""
        return self.lesson.config.model

    @property
    def data(self) -> ImageData:
        """The images."""
        return self.lesson.image_data

    def build(self, width: float = 1.0) -> nn.Module:
        """The network, its weights drawn from torch's current generator.

        Args:
            width: channels of each layer, times this and the study's own width.

        Raises:
            ValueError: the network has no such width.
        """
        config = self.lesson.config
        return replace(self.lesson, config=config.changed(width=config.width * width)).build()

    def batch(self, images: int) -> Tensor:
        """The first training images, (images, C, H, W), for forms that look before they begin."""
        return self.data.train.batch(torch.arange(min(images, len(self.data.train))))[0]


class Learner:
    """A network that learns in a form; this one densely, on every example alike.

    Args:
        network: in training mode.

    Attributes:
        network: what is trained; its layers may be others after :meth:`enter`.
        works: whether :meth:`enter` does work, whose seconds count.
    """

    works: ClassVar[bool] = False

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def enter(self, stage: int, images: Tensor) -> None:
        """A stage begins; the network may change.

        Args:
            stage: counted from 0.
            images: (B, C, H, W), a batch of the training.
        """

    def due(self, progress: float) -> bool:  # noqa: ARG002
        """Whether a stage without a share has ended, at a progress from 0 to 1."""
        return False

    def epoch(self, order: Tensor, progress: float) -> Tensor:  # noqa: ARG002
        """Which examples an epoch visits, in turn.

        Args:
            order: (N,) int64: all, shuffled.
            progress: from 0 to 1.
        """
        return order

    def seen(self, images: Tensor) -> Tensor:
        """What the network reads of a training batch (B, C, H, W)."""
        return images

    def loss(self, examples: Tensor, losses: Tensor) -> Tensor:  # noqa: ARG002
        """A batch's loss.

        Args:
            examples: (B,) int64: which.
            losses: (B,): of each.
        """
        return losses.mean()

    def after_step(self, loss: float) -> None:
        """The optimizer's step is done."""

    def testing(self) -> AbstractContextManager[object]:
        """Within the block the network is tested."""
        return nullcontext()

    def facts(self) -> dict[str, Any]:
        """What the form found or chose, ready for JSON."""
        return {}


class Form(Protocol):
    """A way to finish sooner.

    Attributes:
        name: in a word, for options and files.
        shown: as tables have it.
        source: who published it, and what is ours.
        compiles: whether ``torch.compile`` may be tried.
        looks: how many of the first steps are longer than others, for the form measures or estimates there.
    """

    name: str
    shown: str
    source: str
    compiles: bool = True
    looks: int = 0

    def stages(self, ground: Ground) -> tuple[Stage, ...]:  # noqa: ARG002
        """The parts of a schedule; their shares add up to 1.

        Raises:
            Unfit: the network or the data are none for it.
        """
        return (Stage("whole"),)

    def learner(self, ground: Ground, examples: int) -> Learner:  # noqa: ARG002
        """A network with weights from torch's current generator.

        Args:
            ground: network and data.
            examples: training examples that there are.

        Raises:
            Unfit: the network or the data are none for it.
        """
        return Learner(ground.build())
