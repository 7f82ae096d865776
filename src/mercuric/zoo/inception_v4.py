"""What is Inception-V4 (Szegedy et al., AAAI 2017) here?"""

from typing import Any

from torch import nn

import mercuric.torchvision_operators  # noqa: F401 - timm imports torchvision
from mercuric.extras import needed_for
from mercuric.zoo.first_convolution import for_small_images
from mercuric.zoo.network import Network

SECOND_HALVING_OF_THE_STEM = 5


def _timms(classes: int, channels: int) -> Any:
    # timm takes half a second to import: only who builds this network waits for it
    with needed_for("Inception-V4"):
        from timm.models.inception_v4 import InceptionV4

    return InceptionV4(num_classes=classes, in_chans=channels)


def _cifar(classes: int, channels: int) -> nn.Module:
    """timm's network with stride 1 in the first convolution and at the end of the stem.

    Every 3x3 convolution and max pooling is padded, because borders would eat small images. The
    modules A, B and C work on 16, 8 and 4 pixels a side.
    """
    network = for_small_images(_timms(classes, channels), channels)
    for module in network.modules():
        if isinstance(module, nn.MaxPool2d):
            module.padding = 1
        elif isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
            module.padding = (1, 1)
    halving: Any = network.get_submodule(f"features.{SECOND_HALVING_OF_THE_STEM}")
    halving.conv.conv.stride = (1, 1)
    halving.maxpool.stride = 1
    return network


# 74 pixels leave nothing after the second reduction, whose windows of 3x3 have no padding
INCEPTION_V4 = Network(cifar=_cifar, imagenet=_timms, smallest_image=16, smallest_large_image=75)
