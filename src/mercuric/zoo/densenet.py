"""What are DenseNets (Huang et al., CVPR 2017) here?"""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from mercuric.torchvision_operators import torchvision
from mercuric.zoo.first_convolution import for_small_images, torchvision_form
from mercuric.zoo.network import Network


def _cifar(constructor: Callable[..., Any], classes: int, channels: int) -> nn.Module:
    """torchvision's network with a first convolution of 3x3 and stride 1, and no max pooling.

    The four blocks work on 32, 16, 8 and 4 pixels a side. The CIFAR networks of the paper have
    three blocks and a growth rate of 12 to 40; these keep the ImageNet blocks and their growth rate of 32.
    """
    network = constructor(weights=None, num_classes=classes)
    network.features.pool0 = nn.Identity()
    return for_small_images(network, channels)


def _network(constructor: Callable[..., Any]) -> Network:
    return Network(
        cifar=partial(_cifar, constructor), imagenet=torchvision_form(constructor), smallest_image=16
    )


DENSENET121 = _network(torchvision.models.densenet121)
DENSENET169 = _network(torchvision.models.densenet169)
