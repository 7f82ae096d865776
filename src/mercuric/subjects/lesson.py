"""What does a network learn, on which data?"""

from dataclasses import dataclass
from typing import Any

from torch import nn

from mercuric import data, zoo
from mercuric.data import ImageData, TextData
from mercuric.errors import ArgumentError
from mercuric.subjects.config import NetworkConfig
from mercuric.subjects.subject import build_network
from mercuric.training import ClassificationTask, FewerExamples, Task, TrainingConfig
from mercuric.training.translation import TranslationTask


@dataclass(frozen=True)
class Lesson:
    """A task, and the network that learns it.

    Attributes:
        config: which network.
        data: what the task is made of.
        task: with as many training examples as were asked for.
        tested: test examples.
    """

    config: NetworkConfig
    data: ImageData | TextData
    task: Task
    tested: int

    def build(self) -> nn.Module:
        """The network, its weights drawn from torch's current generator."""
        return build_network(self.config, self.data)

    @property
    def image_data(self) -> ImageData:
        """The data of a network that reads images."""
        assert isinstance(self.data, ImageData)  # noqa: S101 - the network reads them
        return self.data

    @property
    def described(self) -> dict[str, Any]:
        """The network's form and the numbers of examples, for ``summary.json``."""
        kind = "images" if isinstance(self.data, ImageData) else "pairs"
        counts = {
            f"train_{kind}": len(self.task),
            f"train_{kind}_available": len(self.data.train),
            f"test_{kind}": self.tested,
        }
        if isinstance(self.data, ImageData):
            return {"form": zoo.form(self.data.image_size), **counts}
        return {**counts, "vocabulary": len(self.data.vocabulary)}


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
    loaded = data.load(config.data, config.root, config.image_size, **settings)
    task: Task
    if isinstance(loaded, ImageData):
        task = ClassificationTask(loaded, training.label_smoothing, training.augment)
        tested = len(loaded.test)
    elif training.augment:
        raise ArgumentError(f"augment was True, but must be False for the sentences of {config.data}")
    else:
        task = TranslationTask(loaded, training.label_smoothing, test_sentences=test_sentences)
        tested = task.tested
    if train_examples is not None:
        task = FewerExamples(task, train_examples)
    return Lesson(config, loaded, task, tested)
