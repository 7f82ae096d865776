"""What does a configuration train: which network, on which task?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from mercuric import data, zoo
from mercuric.data import ImageData
from mercuric.experiments.run_config import RunConfig
from mercuric.training import ClassificationTask, FewerExamples, Task


@dataclass(frozen=True)
class Subject:
    """A task, and the network that learns it.

    Attributes:
        task: with as many training examples as were asked for.
        build: makes the network, its weights drawn from torch's current generator.
        described: the network's form and the numbers of examples, for ``summary.json``.
    """

    task: Task
    build: Callable[[], nn.Module]
    described: dict[str, Any]


def load_subject(config: RunConfig) -> Subject:
    """Load the data of ``config``, and say how its network is built.

    Raises:
        MercuricError: data are missing or damaged.
        ValueError: the data can't be had so, or there are fewer than ``train_examples``.
    """
    root = None if config.data_root is None else Path(config.data_root)
    return _image_subject(config, data.load(config.data, root, config.image_size))


def _image_subject(config: RunConfig, images: ImageData) -> Subject:
    whole = ClassificationTask(images, config.training.label_smoothing, config.training.augment)
    task = _shortened(whole, config.train_examples)
    width = () if config.width == 1 else (config.width,)
    described = {
        "form": zoo.form(images.image_size),
        "train_images": len(task),
        "train_images_available": len(whole),
        "test_images": len(images.test),
    }
    shape = (len(images.classes), images.channels, images.image_size)
    return Subject(task, lambda: zoo.build(config.model, *shape, *width), described)


def _shortened(task: Task, train_examples: int | None) -> Task:
    return task if train_examples is None else FewerExamples(task, train_examples)
