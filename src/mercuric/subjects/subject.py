"""What does a network with its weights read: which examples, in which form?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn

from mercuric import data, zoo
from mercuric.data import ImageData, Split, TextData
from mercuric.data.text import TextSplit
from mercuric.errors import ArgumentError
from mercuric.subjects.config import SubjectConfig
from mercuric.subjects.network import build_network, classes_of, load_network, require_weights
from mercuric.trace.workload import Inputs

PIXELS_OF_A_BATCH = 16 * 64 * 64
PAIRS_OF_A_BATCH = 64
FEW, MANY = 2, 16
"""Images of more than 64 pixels a side, and of fewer, where nobody says how many."""

Tell = Callable[[int, int], None]
"""Called with the examples that have run, and all of them."""


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
class Subject:
    """A network with its weights, and the training examples that it is looked at on.

    Attributes:
        config: what was loaded.
        data: normalised as the weights need it.
        network: in no particular mode.
        places: (count,) int64: which training examples, those that stand for all.
        batch: how many of them run at once.
    """

    config: SubjectConfig
    data: ImageData | TextData
    network: nn.Module
    places: Tensor
    batch: int

    @property
    def image_data(self) -> ImageData:
        """The data of a network that reads images."""
        assert isinstance(self.data, ImageData)  # noqa: S101 - the network reads them
        return self.data

    @cached_property
    def _read(self) -> tuple[Tensor, Tensor]:
        return self.data.train.batch(self.places)

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

    def batches(self, tell: Tell = lambda *_: None) -> Batches:
        """What the network reads, batch by batch, as often as it is asked for; ``tell`` is told of each."""
        return Batches(partial(self._batches, tell))

    def _batches(self, tell: Tell) -> Iterator[Inputs]:
        count = len(self.places)
        for done, places in enumerate(torch.split(self.places, self.batch)):
            tell(done * self.batch, count)
            read, known = self.data.train.batch(places)
            yield read if isinstance(self.data, ImageData) else (read, known[:, :-1])
        tell(count, count)

    def shapes(self, batch: int) -> tuple[nn.Module, Tensor]:
        """The network and a batch of images without values: they run whatever the memory."""
        images = self.image_data
        with torch.device("meta"):
            network = build_network(self.config, images, classes_of(self.config, images))
            return network, torch.empty(batch, images.channels, images.image_size, images.image_size)

    @property
    def described(self) -> dict[str, Any]:
        """What tables and saved files say of it."""
        count = len(self.places)
        of_data = (
            {"images": count, "image_size": self.data.image_size}
            if isinstance(self.data, ImageData)
            else {"pairs": count, "vocabulary": len(self.data.vocabulary)}
        )
        form = {"form": zoo.form(self.data.image_size)} if isinstance(self.data, ImageData) else {}
        return {
            "model": self.config.model, **form, "data": self.data.name, **of_data, "batch": self.batch,
            "weights": self.config.drawn_or_from,
        }  # fmt: skip


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
        ValueError: an unknown name, weights that can't fit, or a number that is out of range.
        MercuricError: files are missing or damaged, or the checkpoint is of another network.
    """
    if batch is not None and batch < 1:
        raise ArgumentError(f"batch was {batch}, but must be at least 1")
    loaded = load_data(config)
    if images is None:
        large = isinstance(loaded, ImageData) and zoo.form(loaded.image_size) == "imagenet"
        images = min(len(loaded.train), FEW if large else MANY)
    places = few(loaded.train, images, loaded.name, counted)
    most = (
        max(1, PIXELS_OF_A_BATCH // loaded.image_size**2)
        if isinstance(loaded, ImageData)
        else PAIRS_OF_A_BATCH
    )
    return Subject(config, loaded, load_network(config, loaded, tell), places, min(batch or most, images))


def load_data(config: SubjectConfig) -> ImageData | TextData:
    """The data, of the size and normalisation that the weights need.

    Raises:
        ValueError: weights that are neither a name nor a file, or the data can't be had as configured.
        MercuricError: files are missing or damaged.
    """
    require_weights(config.weights)
    loaded = data.load(config.data, config.root, config.size)
    if isinstance(loaded, ImageData) and config.pretrained is not None:
        return loaded.normalised(config.pretrained.normalisation)
    return loaded


def load_images(config: SubjectConfig) -> ImageData:
    """:func:`load_data` for a network that reads images."""
    loaded = load_data(config)
    assert isinstance(loaded, ImageData)  # noqa: S101 - the configuration has no others
    return loaded


def few(split: Split | TextSplit, count: int, name: str, counted: str = "images") -> Tensor:
    """(count,) int64: which examples of the data set ``name`` stand for all, as ``Split.few`` has them.

    Raises:
        ValueError: there are not so many; ``counted`` is what it calls ``count``.
    """
    if not 1 <= count <= len(split):
        raise ArgumentError(f"{counted} was {count}, but must be from 1 to the {len(split)} of {name}")
    return split.few(count)
