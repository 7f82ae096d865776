"""What does a configuration train: which network, on which task?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from mercuric import data, zoo
from mercuric.data import ImageData, TextData
from mercuric.errors import ArgumentError
from mercuric.studies.train.config import RunConfig
from mercuric.training import ClassificationTask, FewerExamples, Task
from mercuric.training.translation import TranslationTask


@dataclass(frozen=True)
class Subject:
    """A task, and the network that learns it.

    Attributes:
        task: with as many training examples as were asked for.
        build: makes the network, its weights drawn from torch's current generator.
        described: the network's form and the numbers of examples, for ``summary.json``.
        data: what the task is made of.
    """

    task: Task
    build: Callable[[], nn.Module]
    described: dict[str, Any]
    data: ImageData | TextData


def load_subject(config: RunConfig) -> Subject:
    """Load the data of ``config``, and say how its network is built.

    Raises:
        MercuricError: data are missing or damaged.
        ValueError: the network does not read such data, the data can't be had as configured, or there
            are fewer than ``train_examples``.
    """
    root = None if config.data_root is None else Path(config.data_root)
    settings = {"vocabulary_size": config.vocabulary_size, "max_words": config.max_words}
    words: dict[str, Any] = {key: value for key, value in settings.items() if value is not None}
    loaded = data.load(config.data, root, config.image_size, **words)
    holds, needs = "sentences" if isinstance(loaded, TextData) else "images", zoo.reads(config.model)
    if holds != needs:
        raise ArgumentError(
            f"data was {config.data!r}, which holds {holds}, but {config.model} needs {needs}"
        )
    return _text_subject(config, loaded) if isinstance(loaded, TextData) else _image_subject(config, loaded)


def _image_subject(config: RunConfig, images: ImageData) -> Subject:
    whole = ClassificationTask(images, config.training.label_smoothing, config.training.augment)
    task = _shortened(whole, config.train_examples)
    described = {
        "form": zoo.form(images.image_size),
        "train_images": len(task),
        "train_images_available": len(whole),
        "test_images": len(images.test),
    }
    shape = (len(images.classes), images.channels, images.image_size)
    return Subject(task, lambda: zoo.build(config.model, *shape, config.width), described, images)


def _text_subject(config: RunConfig, text: TextData) -> Subject:
    if config.training.augment:
        raise ArgumentError(f"augment was True, but must be False for the sentences of {config.data}")
    smoothing, tested = config.training.label_smoothing, config.test_sentences
    whole = TranslationTask(text, smoothing, test_sentences=tested)
    task = _shortened(whole, config.train_examples)
    described = {
        "train_pairs": len(task),
        "train_pairs_available": len(whole),
        "test_pairs": whole.tested,
        "vocabulary": len(text.vocabulary),
    }
    return Subject(task, lambda: zoo.build_transformer(len(text.vocabulary), config.width), described, text)


def _shortened(task: Task, train_examples: int | None) -> Task:
    return task if train_examples is None else FewerExamples(task, train_examples)
