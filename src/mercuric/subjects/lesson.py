"""What does a network learn, on which data?"""

from dataclasses import dataclass
from typing import Any

from torch import nn

from mercuric import data, zoo
from mercuric.data import Data, ImageData, TextData
from mercuric.errors import ArgumentError
from mercuric.subjects.config import NetworkConfig
from mercuric.subjects.network import (
    build_network,
    of_zoo,
    open_network,
    require_classes,
    require_read,
    require_scores,
    size_of,
)
from mercuric.subjects.providers.provider import Opened
from mercuric.training import ClassificationTask, FewerExamples, Task, TrainingConfig
from mercuric.training.translation import TranslationTask


@dataclass(frozen=True)
class Lesson:
    """A task, and the network that learns it.

    Attributes:
        config: which network.
        opened: where it comes from.
        data: what the task is made of.
        task: with as many training examples as were asked for.
        tested: test examples.
    """

    config: NetworkConfig
    opened: Opened
    data: Data
    task: Task
    tested: int

    def build(self) -> nn.Module:
        """The network, its weights drawn from torch's current generator."""
        return build_network(self.config, self.data, opened=self.opened)

    @property
    def image_data(self) -> ImageData:
        """The data, which must be images.

        Raises:
            ValueError: they are arrays of another form.
        """
        return data.require_images(self.data)

    @property
    def described(self) -> dict[str, Any]:
        """The network's form and the numbers of examples, for ``summary.json``."""
        kind = "pairs" if isinstance(self.data, TextData) else "images"
        counts = {
            f"train_{kind}": len(self.task),
            f"train_{kind}_available": len(self.data.train),
            f"test_{kind}": self.tested,
        }
        if isinstance(self.data, TextData):
            return {**counts, "vocabulary": len(self.data.vocabulary)}
        if isinstance(self.data, ImageData) and of_zoo(self.config.model):
            return {"form": zoo.form(self.data.image_size), **counts}
        return counts


def load_lesson(
    config: NetworkConfig,
    training: TrainingConfig,
    train_examples: int | None = None,
    test_sentences: int | None = None,
    **words: int | None,
) -> Lesson:
    """Load the data that ``config`` names, and make them a task.

    Args:
        config: the network and its data.
        training: smoothing of the loss, and whether images are augmented.
        train_examples: the first so many of a fixed shuffle; all by default.
        test_sentences: how many test sentences, the first ones, are translated; all by default.
        words: ``vocabulary_size`` and ``max_words`` of sentences.

    Raises:
        ValueError: the data can't be had as configured, or there are fewer than ``train_examples``.
        MercuricError: data are missing or damaged.
    """
    settings: dict[str, Any] = {key: value for key, value in words.items() if value is not None}
    opened = open_network(config)
    loaded = data.load(config.data, config.root, size_of(config, opened), **settings)
    task: Task
    if training.augment and not isinstance(loaded, ImageData):
        held = "sentences" if isinstance(loaded, TextData) else "arrays"
        raise ArgumentError(f"augment was True, but must be False for the {held} of {config.data}")
    if not isinstance(loaded, TextData):
        task = ClassificationTask(loaded, training.label_smoothing, training.augment)
        tested = len(loaded.test)
        require_classes(loaded, "a network learns")
        if not tested:
            raise ArgumentError(f"data was {config.data!r} without an example to test on, but must have some")
    else:
        task = TranslationTask(loaded, training.label_smoothing, test_sentences=test_sentences)
        tested = task.tested
    if train_examples is not None:
        task = FewerExamples(task, train_examples)
    lesson = Lesson(config, opened, loaded, task, tested)
    if not (isinstance(loaded, TextData) or of_zoo(config.model)):
        require_scores(config.model, require_read(config, loaded, opened), loaded)
    return lesson
