"""What are ResNets (He et al., CVPR 2016) here?"""

from collections.abc import Callable
from functools import partial

from torch import nn

from mercuric.torchvision_operators import torchvision
from mercuric.zoo.first_convolution import for_small_images, torchvision_form
from mercuric.zoo.network import Network


def _cifar(constructor: Callable[..., nn.Module], classes: int, channels: int) -> nn.Module:
    """torchvision's network with a first convolution of 3x3 and stride 1, and no max pooling.

    The four stages work on 32, 16, 8 and 4 pixels a side. The CIFAR networks of the paper (4.2)
    have three stages of 16 to 64 channels; these keep the ImageNet depths and channels.
    """
    network = for_small_images(constructor(weights=None, num_classes=classes), channels)
    network.maxpool = nn.Identity()
    return network


def _network(constructor: Callable[..., nn.Module]) -> Network:
    return Network(
        cifar=partial(_cifar, constructor), imagenet=torchvision_form(constructor), smallest_image=16
    )


RESNET18 = _network(torchvision.models.resnet18)
RESNET34 = _network(torchvision.models.resnet34)
RESNET50 = _network(torchvision.models.resnet50)
RESNET101 = _network(torchvision.models.resnet101)
RESNET152 = _network(torchvision.models.resnet152)
