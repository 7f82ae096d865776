"""Which networks are there, what do they read, and how is one built by name?"""

from typing import Literal

from torch import nn

from mercuric.errors import ArgumentError
from mercuric.zoo.alexnet import ALEXNET
from mercuric.zoo.custom_cnn import CUSTOM_CNN
from mercuric.zoo.densenet import DENSENET121, DENSENET169
from mercuric.zoo.googlenet import GOOGLENET
from mercuric.zoo.inception_v4 import INCEPTION_V4
from mercuric.zoo.mobilenet_v2 import MOBILENET_V2
from mercuric.zoo.network import Network, form
from mercuric.zoo.resnet import RESNET18, RESNET34, RESNET50, RESNET101, RESNET152
from mercuric.zoo.squeezenet import SQUEEZENET
from mercuric.zoo.vgg import VGG13, VGG16, VGG19
from mercuric.zoo.width import narrow

NETWORKS: dict[str, Network] = {
    "alexnet": ALEXNET,
    "custom-cnn": CUSTOM_CNN,
    "densenet121": DENSENET121,
    "densenet169": DENSENET169,
    "googlenet": GOOGLENET,
    "inception-v4": INCEPTION_V4,
    "mobilenet-v2": MOBILENET_V2,
    "resnet18": RESNET18,
    "resnet34": RESNET34,
    "resnet50": RESNET50,
    "resnet101": RESNET101,
    "resnet152": RESNET152,
    "squeezenet-1.0": SQUEEZENET,
    "vgg13": VGG13,
    "vgg16": VGG16,
    "vgg19": VGG19,
}
TRANSFORMER = "transformer"
"""The network that reads sentences; ``mercuric.zoo.build_transformer`` builds it."""

Reads = Literal["images", "sentences"]


def names() -> tuple[str, ...]:
    """Every name that ``build`` knows, of the networks that read images, in alphabetical order."""
    return tuple(sorted(NETWORKS))


def all_names() -> tuple[str, ...]:
    """Every network's name, in alphabetical order: those that read images, and ``TRANSFORMER``."""
    return tuple(sorted((*NETWORKS, TRANSFORMER)))


def reads(name: str) -> Reads:
    """What the network reads.

    Raises:
        ValueError: no network has that name.
    """
    if name not in all_names():
        raise ArgumentError(f"name was {name!r}, but it must be one of {', '.join(all_names())}")
    return "sentences" if name == TRANSFORMER else "images"


def build(name: str, classes: int, channels: int = 3, image_size: int = 32, width: float = 1.0) -> nn.Module:
    """A network with fresh weights, drawn from torch's current generator.

    Images of up to 64 pixels a side give the form for CIFAR, larger ones the published form for
    ImageNet; ``mercuric.zoo.form(image_size)`` says which.

    Args:
        name: one of ``names()``.
        classes: outputs of the last layer.
        channels: input channels: 3 for colour, 1 for grey.
        image_size: side of the square input images, in pixels.
        width: channels of every layer as a share of the published ones, above 0 and at most 1; see
            ``mercuric.zoo.width.narrow``.

    Returns:
        A module in training mode from (B, channels, image_size, image_size) to (B, classes).

    Raises:
        ValueError: an unknown name, a number that is not positive, images that are too small, or a
            width that leaves some layer no whole number of channels.
    """
    if name not in NETWORKS:
        raise ArgumentError(f"name was {name!r}, but it must be one of {', '.join(names())}")
    if classes < 1:
        raise ArgumentError(f"classes was {classes}, but it must be at least 1")
    if channels < 1:
        raise ArgumentError(f"channels was {channels}, but it must be at least 1")
    network = NETWORKS[name]
    smallest = network.smallest(image_size)
    if image_size < smallest:
        raise ArgumentError(
            f"image_size was {image_size}, but {name} needs images of at least {smallest} pixels a side"
        )
    builder = network.cifar if form(image_size) == "cifar" else network.imagenet
    return narrow(builder(classes, channels), width)
