"""Which network runs, with which weights, on which examples?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from mercuric import data, zoo
from mercuric.config import Config
from mercuric.data import ImageData, Split, TextData
from mercuric.data.normalisation import IMAGENET, Normalisation
from mercuric.data.split import InMemorySplit
from mercuric.errors import ArgumentError
from mercuric.progress import Progress
from mercuric.subjects.weighted_network import RANDOM, size_for, weighted_network
from mercuric.trace.forward_pass import Inputs
from mercuric.zoo import pretrained

PIXELS_OF_A_BATCH = 16 * 64 * 64
PAIRS_OF_A_BATCH = 64
DATA = {"images": "photos", "sentences": "help-en-de"}
"""What a network reads where no data are named."""


class NetworkConfig(Config):
    """A network of the zoo, its weights, and the examples that it reads.

    Attributes:
        model: a network of the zoo.
        data: a data set; of its training part the first examples are taken, of a folder of images some of
            each class. ``photos``, or ``help-en-de`` for a network that reads sentences, by default.
        data_root: where its files and the pretrained weights lie.
        images: how many images, or pairs of sentences.
        image_size: side of the images in pixels; 224 for pretrained weights, else the data set's own.
        batch: examples that run at once; fully connected layers compare these. By default as many as
            hold the pixels of 16 images of 64 x 64, at least one; 64 pairs of sentences.
        weights: ``"random"``, a name of ``mercuric.zoo.pretrained``, or a training run's checkpoint.
        seed: what random weights are drawn from.
    """

    model: str
    data: str | None = None
    data_root: str | None = None
    images: int = 16
    image_size: int | None = None
    batch: int | None = Field(default=None, strict=True)
    weights: str = RANDOM
    seed: int = 0


@dataclass(frozen=True)
class Batches:
    """Examples batch by batch, made anew each time that they are asked for.

    Attributes:
        make: starts from the first batch.
    """

    make: Callable[[], Iterator[Inputs]]

    def __iter__(self) -> Iterator[Inputs]:
        return self.make()


@dataclass(frozen=True)
class LoadedNetwork:
    """A network with its weights, and its examples batch by batch.

    Attributes:
        network: in no particular mode.
        batches: the batches, which may run several times; calls back as they run.
        described: what reports and saved files say of it.
    """

    network: nn.Module
    batches: Callable[[Progress], Batches]
    described: dict[str, Any]


def load_network(config: NetworkConfig, tell: Callable[[str], None] = lambda _: None) -> LoadedNetwork:
    """Load examples and weights.

    Args:
        config: what to load; pretrained weights that are not there yet are fetched.
        tell: told in a sentence what is fetched.

    Raises:
        ValueError: an unknown name, or a number that is out of range.
        MercuricError: files are missing or damaged, or the checkpoint is of another network.
    """
    if config.model not in zoo.all_names():
        raise ArgumentError(f"model was {config.model!r}, but must be one of {', '.join(zoo.all_names())}")
    if not 0 <= config.seed < 2**32:
        raise ArgumentError(f"seed was {config.seed}, but must be from 0 to {2**32 - 1}")
    if config.batch is not None and config.batch < 1:
        raise ArgumentError(f"batch was {config.batch}, but must be at least 1")
    reads = zoo.reads(config.model)
    name = config.data or DATA[reads]
    size = size_for(config.weights, config.model, config.image_size)
    root = None if config.data_root is None else Path(config.data_root)
    loaded = data.load(name, root, size)
    holds = "sentences" if isinstance(loaded, TextData) else "images"
    if holds != reads:
        raise ArgumentError(f"data was {name!r}, which holds {holds}, but {config.model} needs {reads}")
    if isinstance(loaded, TextData):
        return _on_sentences(config, name, loaded)
    return _on_images(config, name, loaded, root, tell)


def _on_images(
    config: NetworkConfig, name: str, loaded: ImageData, root: Path | None, tell: Callable[[str], None]
) -> LoadedNetwork:
    count = _checked(config.images, len(loaded.train), name)
    batch = min(config.batch or max(1, PIXELS_OF_A_BATCH // loaded.image_size**2), count)
    network = weighted_network(config.model, config.weights, config.seed, loaded, root, tell)
    split = loaded.train
    if config.weights in pretrained.names():
        split = normalised(split, name, config.weights)
    described = {
        "model": config.model,
        "form": zoo.form(loaded.image_size),
        "data": name,
        "images": count,
        "image_size": loaded.image_size,
        "batch": batch,
        "weights": _weights(config),
    }

    few = split.few(count)

    def batches(told: Progress) -> Iterator[Inputs]:
        for indices in _indices(count, batch, told):
            yield split.batch(few[indices])[0]

    return LoadedNetwork(network, lambda told: Batches(lambda: batches(told)), described)


def _on_sentences(config: NetworkConfig, name: str, loaded: TextData) -> LoadedNetwork:
    count = _checked(config.images, len(loaded.train), name)
    batch = min(config.batch or PAIRS_OF_A_BATCH, count)
    network = weighted_network(config.model, config.weights, config.seed, loaded)
    described = {
        "model": config.model,
        "data": name,
        "pairs": count,
        "vocabulary": len(loaded.vocabulary),
        "batch": batch,
        "weights": _weights(config),
    }

    def batches(told: Progress) -> Iterator[Inputs]:
        for indices in _indices(count, batch, told):
            source, target = loaded.train.batch(indices)
            yield source, target[:, :-1]

    return LoadedNetwork(network, lambda told: Batches(lambda: batches(told)), described)


def _checked(wanted: int, there: int, name: str) -> int:
    if not 1 <= wanted <= there:
        raise ArgumentError(f"images was {wanted}, but must be from 1 to the {there} of {name}")
    return wanted


def _weights(config: NetworkConfig) -> str:
    return f"random, seed {config.seed}" if config.weights == RANDOM else config.weights


def normalised(split: Split, name: str, weights: str) -> Split:
    """The images as pretrained weights need them.

    Raises:
        ValueError: the data's normalisation is fixed, and another one.
    """
    normalisation: Normalisation = pretrained.PRETRAINED[weights].normalisation
    if isinstance(split, InMemorySplit):
        return replace(split, normalisation=normalisation)
    if normalisation != IMAGENET:
        raise ArgumentError(
            f"data was {name!r}, whose images are normalised as ImageNet's, but weights {weights} need "
            "another normalisation; take photos"
        )
    return split


def _indices(count: int, batch: int, tell: Progress) -> Iterator[Tensor]:
    for first in range(0, count, batch):
        tell(first, count)
        yield torch.arange(first, min(first + batch, count))
    tell(count, count)
