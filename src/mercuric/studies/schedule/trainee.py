"""What is one step of a network that is trained in a form?"""

import copy
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from math import isfinite

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Optimizer

from mercuric.data.split import Split
from mercuric.studies.schedule.forms.form import Form, Ground
from mercuric.studies.schedule.setting import Setting
from mercuric.training import TrainingConfig
from mercuric.training.optimization import learning_rate, make_optimizer, seed_step

TESTED_AT_ONCE = 256


@dataclass(frozen=True)
class Recipe:
    """What is tuned.

    Attributes:
        learning_rate: the schedule's peak.
        batch: images a step.
    """

    learning_rate: float
    batch: int


class Trainee:
    """A network in a form, with its optimizer; :meth:`enter` begins its first stage.

    Args:
        ground: network and data.
        form: which.
        recipe: learning rate and batch.
        setting: how it computes.
        seed: of its weights and of what its steps draw.
        places: (N,) int64: its examples, of the training images.
        augment: random crops and mirror images.

    Attributes:
        learner: the network, and what the form does.
        recipe: learning rate and batch.
        seed: as given.
        examples: how many it has.
        stage: of the schedule, counted from 0.
        looks: see :class:`~mercuric.studies.schedule.forms.form.Form`.

    Raises:
        Unfit: the network or the data are none for the form.
    """

    def __init__(
        self, ground: Ground, form: Form, recipe: Recipe, setting: Setting, seed: int, places: Tensor,
        augment: bool = False,
    ) -> None:  # fmt: skip
        self._split, self._places, self._setting = ground.data.train, places, setting
        self.recipe, self.seed, self.examples, self.stage = recipe, seed, len(places), 0
        self._training = TrainingConfig(
            learning_rate=recipe.learning_rate, batch_size=recipe.batch, augment=augment
        )
        self._steps = 0
        torch.manual_seed(seed)
        self.learner = form.learner(ground, len(places))
        self.looks = form.looks
        self._optimizer: Optimizer | None = None

    def enter(self, stage: int, counted: AbstractContextManager[object] | None = None) -> None:
        """Begin a stage: the network, and what is compiled of it, may be others afterwards.

        Args:
            stage: counted from 0.
            counted: what the form does then is done in it.
        """
        self.stage = stage
        self.learner.network.train()
        self._setting.place(self.learner.network)
        images, _ = self._batch(torch.arange(min(self.recipe.batch, len(self._places))))
        with self._setting.autocast(), counted or nullcontext():
            self.learner.enter(stage, images)
        self._setting.place(self.learner.network)
        self._optimizer = self._continued(self._optimizer)
        self._called = self._setting.called(self.learner.network)

    def warm_up(self) -> None:
        """Compile what is to be compiled, before a clock runs; the network stays as it is."""
        if self._setting.compiled:
            images, labels = self._batch(torch.arange(min(self.recipe.batch, self.examples)))
            with self.unchanged(), self._setting.autocast():
                torch.autograd.backward(F.cross_entropy(self._called(self.learner.seen(images)), labels))

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Steps in the block leave a network of PyTorch's own layers, and its optimizer, as they were."""
        network, optimizer, steps = self.learner.network, self._known_optimizer, self._steps
        before, slots = copy.deepcopy(network.state_dict()), copy.deepcopy(optimizer.state_dict())
        yield
        network.load_state_dict(before)
        network.zero_grad(set_to_none=True)
        optimizer.load_state_dict(slots)
        self._steps = steps

    def rate(self, done: float, steps: float) -> float:
        """The learning rate where a share ``done`` of a schedule of so many steps is done."""
        return learning_rate(self._training, done * steps, steps)

    def step(self, examples: Tensor, rate: float) -> float:
        """Learn from a batch.

        Args:
            examples: (B,) int64: which of the trainee's.
            rate: the learning rate.

        Returns:
            The loss; where it isn't finite, nothing was learned.
        """
        optimizer = self._known_optimizer
        generator = seed_step(self.seed, self._steps)
        self._steps += 1
        for group in optimizer.param_groups:
            group["lr"] = rate
        self.learner.network.train()
        optimizer.zero_grad(set_to_none=True)
        images, labels = self._batch(examples, generator if self._training.augment else None)
        with self._setting.autocast():
            output: Tensor = self._called(self.learner.seen(images))
            losses = F.cross_entropy(output.float(), labels, reduction="none")
        loss = self.learner.loss(examples, losses)
        value = float(loss.detach())
        if isfinite(value):
            torch.autograd.backward(loss)
            optimizer.step()
            self.learner.after_step(value)
        return value

    def accuracy(self, split: Split, places: Tensor) -> float | None:
        """The share of images that it classifies right; None where its outputs are no numbers.

        Args:
            split: of a data set.
            places: (N,) int64: which of its images.
        """
        right = 0
        with self._testing():
            for part in torch.split(places, TESTED_AT_ONCE):
                images, labels = split.batch(part)
                output: Tensor = self.learner.network(self._setting.placed(images))
                if not bool(torch.isfinite(output).all()):
                    return None
                right += int((output.argmax(1) == labels).sum())
        return right / len(places)

    @property
    def _known_optimizer(self) -> Optimizer:
        assert self._optimizer is not None  # noqa: S101 - made as the first stage began
        return self._optimizer

    @contextmanager
    def _testing(self) -> Iterator[None]:
        self.learner.network.eval()
        with self.learner.testing(), torch.no_grad(), self._setting.autocast():
            yield
        self.learner.network.train()

    def _batch(self, examples: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        images, labels = self._split.batch(self._places[examples], generator)
        return self._setting.placed(images), labels

    def _continued(self, before: Optimizer | None) -> Optimizer:
        """An optimizer of the parameters that there are now; what is kept of those that stay goes on."""
        made = make_optimizer(self.learner.network, self._training)
        for parameter in self.learner.network.parameters():
            if before is not None and parameter in before.state:
                made.state[parameter] = before.state[parameter]
        return made
