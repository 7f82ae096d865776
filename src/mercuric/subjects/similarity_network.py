"""On which network, weights and images is similarity studied, and how are the weights named?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from mercuric import data, zoo
from mercuric.config import Config
from mercuric.data import ImageData, Split
from mercuric.data.image_folder import FolderSplit
from mercuric.data.normalisation import IMAGENET, Normalisation
from mercuric.data.split import InMemorySplit
from mercuric.errors import ArgumentError
from mercuric.subjects.weighted_network import RANDOM, size_for, weighted_network
from mercuric.zoo import pretrained

_FEW_IMAGES, _MANY_IMAGES = 2, 16


class SimilarityConfig(Config):
    """A similarity study.

    Attributes:
        model: a network of the zoo.
        data: a data set of images; of its training part the first are taken, of a folder some of each class.
        data_root: where its files and the pretrained weights lie.
        weights: ``"random"``, a name of ``mercuric.zoo.pretrained``, or a training run's checkpoint.
        images: images in the batch; 16, or 2 above 64 pixels, where none is given.
        image_size: side of the images in pixels; 224 for pretrained weights, else the data set's own.
        seed: what random weights, projections and dropout are drawn from.
        bits: signature length of Figs. 1, 9 and 15 (paper III-D: 20).
    """

    model: str
    data: str = "photos"
    data_root: str | None = None
    weights: str = RANDOM
    images: int | None = None
    image_size: int | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    bits: Annotated[int, Field(strict=True, ge=1, le=64)] = 20


@dataclass(frozen=True)
class Studied:
    """What a study looks at.

    Attributes:
        network: with its weights.
        weights: how they are named in every picture.
        data: the data set.
        pixels: (B, C, H, W) uint8, the images as a person sees them.
        images: the same as the network sees them.
        labels: (B,) int64.
    """

    network: nn.Module
    weights: str
    data: ImageData
    pixels: Tensor
    images: Tensor
    labels: Tensor

    @property
    def shown(self) -> int:
        """The image that pictures show: the one of most contrast."""
        return int(self.pixels.float().flatten(1).std(1).argmax())


def studied(config: SimilarityConfig, tell: Callable[[str], None] = lambda _: None) -> Studied:
    """Load the images, build the network and fill it with its weights.

    Args:
        config: what to load; pretrained weights that are not there yet are fetched.
        tell: told in a sentence what is fetched.

    Raises:
        ValueError: an unknown name, weights that can't fit, or a wrong number of images.
        MercuricError: files are missing or damaged, or the checkpoint is of another network.
    """
    if config.model not in zoo.names():
        raise ArgumentError(f"model was {config.model!r}, but must be one of {', '.join(zoo.names())}")
    _check_weights(config.weights)
    root = None if config.data_root is None else Path(config.data_root)
    size = size_for(config.weights, config.model, config.image_size)
    loaded = data.load_images(config.data, root, size)
    pixels, labels, normalisation = _pixels(loaded.train, _images(config.images, loaded))
    network = weighted_network(config.model, config.weights, config.seed, loaded, root, tell)
    if config.weights in pretrained.names():
        normalisation = pretrained.PRETRAINED[config.weights].normalisation
    return Studied(network, _shown(config), loaded, pixels, normalisation.apply(pixels), labels)


def _check_weights(weights: str) -> None:
    if weights in (RANDOM, *pretrained.names()) or Path(weights).suffix or Path(weights).exists():
        return
    names = ", ".join((RANDOM, *pretrained.names()))
    raise ArgumentError(f"weights was {weights!r}, but must be {names} or a training run's checkpoint")


def _shown(config: SimilarityConfig) -> str:
    """How pictures name the weights; of a checkpoint, enough of the path to tell it from others."""
    if config.weights == RANDOM:
        return f"random weights, seed {config.seed}"
    if config.weights in pretrained.names():
        return pretrained.PRETRAINED[config.weights].shown
    path = Path(config.weights).resolve()
    run = path.parent.parent.name if path.parent.name == "checkpoints" else path.parent.name
    return f"trained weights, {run}/{path.name}"


def _images(wanted: int | None, loaded: ImageData) -> int:
    there = len(loaded.train)
    if wanted is None:
        return min(there, _MANY_IMAGES if zoo.form(loaded.image_size) == "cifar" else _FEW_IMAGES)
    if not 1 <= wanted <= there:
        raise ArgumentError(f"images was {wanted}, but must be from 1 to the {there} of {loaded.name}")
    return wanted


def _pixels(split: Split, count: int) -> tuple[Tensor, Tensor, Normalisation]:
    """A few images before normalisation, their labels, and the split's normalisation."""
    if isinstance(split, InMemorySplit):
        return split.images[:count], split.labels[:count], split.normalisation
    if isinstance(split, FolderSplit):
        chosen = split.few(count)
        return split.pixels(chosen), split.labels[chosen], IMAGENET
    raise TypeError(f"split was a {type(split).__name__}, but must be of images in memory or in files")
