"""Which networks are there, and how is one built by name?"""

from torch import nn

from mercuric.zoo.alexnet import ALEXNET
from mercuric.zoo.custom_cnn import CUSTOM_CNN
from mercuric.zoo.network import Network, form
from mercuric.zoo.vgg import VGG13, VGG16

NETWORKS: dict[str, Network] = {
    "alexnet": ALEXNET,
    "custom-cnn": CUSTOM_CNN,
    "vgg13": VGG13,
    "vgg16": VGG16,
}


def names() -> tuple[str, ...]:
    """Every name that ``build`` knows, in alphabetical order."""
    return tuple(sorted(NETWORKS))


def build(name: str, classes: int, channels: int = 3, image_size: int = 32) -> nn.Module:
    """A network with fresh weights, drawn from torch's current generator.

    Images of up to 64 pixels a side give the form for CIFAR, larger ones torchvision's own for
    ImageNet; ``mercuric.zoo.form(image_size)`` says which.

    Args:
        name: one of ``names()``.
        classes: outputs of the last layer.
        channels: input channels: 3 for colour, 1 for grey.
        image_size: side of the square input images, in pixels.

    Returns:
        A module in training mode from (B, channels, image_size, image_size) to (B, classes).

    Raises:
        ValueError: an unknown name, a number that is not positive, or images that are too small.
    """
    if name not in NETWORKS:
        raise ValueError(f"name was {name!r}, but it must be one of {', '.join(names())}")
    if classes < 1:
        raise ValueError(f"classes was {classes}, but it must be at least 1")
    if channels < 1:
        raise ValueError(f"channels was {channels}, but it must be at least 1")
    network = NETWORKS[name]
    if form(image_size) == "imagenet":
        return network.imagenet(classes, channels)
    if image_size < network.smallest_image:
        raise ValueError(
            f"image_size was {image_size}, but {name} needs images of at least "
            f"{network.smallest_image} pixels a side"
        )
    return network.cifar(classes, channels)
