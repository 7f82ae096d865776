"""On which examples is a network looked at?"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property, partial
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mercuric import data, zoo
from mercuric.data import ArrayData, ArraySplit, Data, ImageData, Split, TextData
from mercuric.data.arrays import shown_shape
from mercuric.data.text import TextSplit
from mercuric.errors import ArgumentError
from mercuric.progress import Progress, silent
from mercuric.subjects.config import RANDOM, SubjectConfig
from mercuric.subjects.network import (
    build_network,
    classes_of,
    example_of,
    load_network,
    of_zoo,
    open_network,
    require_classes,
    size_of,
    try_network,
)
from mercuric.subjects.providers.provider import Opened
from mercuric.trace.forward_pass import Inputs
from mercuric.trace.supervised import Gradients, Supervised
from mercuric.training.classification import classification_loss
from mercuric.training.translation import subword_loss
from mercuric.zoo.pretrained import PRETRAINED

PIXELS_OF_A_BATCH = 16 * 64 * 64
_VALUES_OF_A_BATCH = 3 * PIXELS_OF_A_BATCH
PAIRS_OF_A_BATCH = 64
FEW, MANY = 2, 16
"""Images of more than 64 pixels a side, and of fewer, where nobody says how many."""


@dataclass(frozen=True)
class Subject:
    """A network with its weights, and the training examples that it is looked at on.

    Attributes:
        config: what was loaded.
        data: normalised as the weights need it.
        network: in no particular mode.
        places: (count,) int64: which training examples, those that stand for all.
        batch: how many of them run at once.
        least: how many must run at once, where a network reads no other number.
    """

    config: SubjectConfig
    data: Data
    network: nn.Module
    places: Tensor
    batch: int
    least: int = 1

    @property
    def image_data(self) -> ImageData:
        """The data, which must be images.

        Raises:
            ValueError: they are arrays of another form.
        """
        return data.require_images(self.data)

    def first(self, count: int) -> Inputs:
        """The first ``count`` examples, as the network reads them."""
        return _supervised(self.data, self.places[:count]).inputs

    @property
    def inputs(self) -> Inputs:
        """All examples, as the network reads them."""
        return self.first(len(self.places))

    @cached_property
    def _read(self) -> tuple[Tensor, Tensor]:
        return self.image_data.train.batch(self.places)

    @property
    def images(self) -> Tensor:
        """(count, C, H, W), the images as the network reads them."""
        return self._read[0]

    @property
    def labels(self) -> Tensor:
        """(count,) int64, their classes."""
        return self._read[1]

    @cached_property
    def pixels(self) -> Tensor:
        """(count, C, H, W) uint8, the images as a person sees them."""
        return self.image_data.train.pixels(self.places)

    @property
    def most_contrast(self) -> int:
        """The image that pictures show."""
        return int(self.pixels.float().flatten(1).std(1).argmax())

    def batches(self, progress: Progress = silent, gradients: Gradients = "forward-hits") -> "Batches":
        """What the network reads, batch by batch, as often as it is asked for.

        Args:
            progress: told before each batch, and after the last.
            gradients: where they are the batch's own, it comes with the cross entropy of its labels, or of
                its subwords.

        Raises:
            ValueError: a loss is asked for, but the data have no classes.
        """
        if gradients == "own" and not isinstance(self.data, TextData):
            require_classes(self.data, "gradients come from a loss")
        return Batches(self, progress, gradients)

    def shapes(self, batch: int) -> tuple[nn.Module, Inputs]:
        """The network and a batch without values, which run whatever the memory.

        One that is not of the zoo, and can't run so, is given with zeros.
        """
        network, inputs = self._without_values(batch)
        if of_zoo(self.config.model):
            return network, inputs
        try:
            try_network(network, inputs)
        except ValueError:
            return self.network, _like(self.first(1), batch, "cpu")
        return network, inputs

    def _without_values(self, batch: int) -> tuple[nn.Module, Inputs]:
        if not of_zoo(self.config.model):
            return deepcopy(self.network).to("meta"), _like(self.first(1), batch, "meta")
        images = self.image_data
        with torch.device("meta"):
            network = build_network(self.config, images, classes_of(self.config, images))
            return network, torch.empty(batch, images.channels, images.image_size, images.image_size)

    @property
    def described(self) -> dict[str, Any]:
        """What tables and saved files say of it."""
        count, read = len(self.places), self.data
        named = {"model": self.config.model, "data": read.name}
        run = {"batch": self.batch, "weights": self.config.drawn_or_from}
        if isinstance(read, TextData):
            return {**named, "pairs": count, "vocabulary": len(read.vocabulary), **run}
        return {**named, **self.form, "images": count, **self.size, **run}

    @property
    def form(self) -> dict[str, str]:
        """``form``, for small images or for large ones, of a network of the zoo."""
        if not (of_zoo(self.config.model) and isinstance(self.data, ImageData)):
            return {}
        return {"form": zoo.form(self.data.image_size)}

    @property
    def size(self) -> dict[str, Any]:
        """``image_size`` of images, ``shapes`` of other arrays, as tables and saved files have it."""
        if isinstance(self.data, ArrayData):
            return {"shapes": list(map(shown_shape, self.data.shapes))}
        return {"image_size": self.image_data.image_size}


@dataclass(frozen=True)
class Batches:
    """Examples batch by batch, made anew each time that they are asked for.

    Attributes:
        subject: whose.
        progress: told before each batch, and after the last.
        gradients: whether batches come with a loss.
    """

    subject: Subject
    progress: Progress
    gradients: Gradients = "forward-hits"

    def __iter__(self) -> Iterator[Inputs | Supervised]:
        places = self.subject.places
        for done, part in enumerate(torch.split(places, self.subject.batch)):
            self.progress(done * self.subject.batch, len(places))
            batch = _supervised(self.subject.data, part)
            yield batch if self.gradients == "own" else batch.inputs
        self.progress(len(places), len(places))


def _supervised(whole: Data, places: Tensor) -> Supervised:
    read, known = whole.train.batch(places)
    if isinstance(whole, TextData):
        return Supervised((read, known[:, :-1]), partial(subword_loss, target=known))
    inputs = read[0] if isinstance(read, tuple) and len(read) == 1 else read
    return Supervised(inputs, partial(classification_loss, target=known))


def _like(inputs: Inputs, batch: int, device: str) -> Inputs:
    """Zeros, or nothing, in the form of ``batch`` examples that are like the first of ``inputs``."""
    like: list[Tensor] = [inputs] if isinstance(inputs, Tensor) else [*inputs]
    zeros = [torch.zeros(batch, *one.shape[1:], dtype=one.dtype, device=device) for one in like]
    return zeros[0] if isinstance(inputs, Tensor) else tuple(zeros)


def load_subject(
    config: SubjectConfig,
    images: int | None = None,
    batch: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    counted: str = "images",
) -> Subject:
    """Load data, network and weights.

    Args:
        config: what to load; pretrained weights that are not there yet are fetched.
        images: how many training examples; :data:`MANY`, or :data:`FEW` large images, by default.
        batch: how many of them run at once; by default as many as memory surely holds.
        tell: told in a sentence what is fetched.
        counted: what an error calls ``images``.

    Raises:
        ValueError: an unknown name, weights that can't fit, a network that doesn't read the data, or a
            number that is out of range.
        MercuricError: files are missing or damaged, or the checkpoint is of another network.
    """
    opened = open_network(config)
    loaded = load_data(config, opened)
    values, small = _values(loaded), 3 * zoo.LARGEST_CIFAR_IMAGE**2
    if images is None:
        images = min(len(loaded.train), opened.batch or (FEW if values > small else MANY))
    places = few(loaded.train, images, loaded.name, counted)
    if batch is not None and batch < 1:
        raise ArgumentError(f"batch was {batch}, but must be at least 1")
    most = PAIRS_OF_A_BATCH if values == 0 else max(1, _VALUES_OF_A_BATCH // values)
    network = load_network(config, loaded, tell, opened)
    at_once, least = min(batch or opened.batch or most, images), opened.batch or 1
    if not of_zoo(config.model):
        try_network(network, example_of(loaded, opened))
    return Subject(config, loaded, network, places, at_once, least)


def _values(loaded: Data) -> int:
    """Numbers in an example; 0 for sentences."""
    if isinstance(loaded, ImageData):
        return 3 * loaded.image_size**2
    return 0 if isinstance(loaded, TextData) else sum(map(prod, loaded.shapes))


def load_data(config: SubjectConfig, opened: Opened | None = None) -> Data:
    """The data, of the size that the network was made for and the normalisation that its weights need.

    Args:
        config: which.
        opened: what :func:`~mercuric.subjects.network.open_network` gave, where it was asked already.

    Raises:
        ValueError: weights that are neither a name nor a file, or the data can't be had as configured.
        MercuricError: files are missing or damaged.
    """
    if config.from_file and not Path(config.weights).suffix and not Path(config.weights).exists():
        names = ", ".join((RANDOM, *PRETRAINED))
        raise ArgumentError(
            f"weights was {config.weights!r}, but must be {names} or a training run's checkpoint"
        )
    loaded = data.load(config.data, config.root, size_of(config, opened))
    if isinstance(loaded, ImageData) and config.pretrained is not None:
        return loaded.normalised(config.pretrained.normalisation)
    return loaded


def load_images(config: SubjectConfig, opened: Opened | None = None) -> ImageData:
    """:func:`load_data`, where images are needed."""
    return data.require_images(load_data(config, opened))


def few(split: Split | TextSplit | ArraySplit, count: int, name: str, counted: str = "images") -> Tensor:
    """(count,) int64: which examples of the data set ``name`` stand for all, as ``Split.few`` has them.

    Raises:
        ValueError: there are not so many; ``counted`` is what it calls ``count``.
    """
    if not 1 <= count <= len(split):
        raise ArgumentError(f"{counted} was {count}, but must be from 1 to the {len(split)} of {name}")
    return split.few(count)
