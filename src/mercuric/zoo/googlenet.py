"""What is GoogLeNet (Szegedy et al., CVPR 2015) here?"""

from typing import Any

from torch import nn

from mercuric.torchvision_operators import torchvision
from mercuric.zoo.first_convolution import for_small_images, with_channels
from mercuric.zoo.network import Network


def _torchvisions(classes: int) -> Any:
    """Without auxiliary heads: they serve a network without batch normalisation, and this one has it.

    As in torchvision, the paper's 5x5 convolutions are 3x3 ones.
    """
    return torchvision.models.googlenet(
        weights=None, num_classes=classes, aux_logits=False, init_weights=True
    )


def _cifar(classes: int, channels: int) -> nn.Module:
    """The first convolution is 3x3 with stride 1 and the first max pooling is gone.

    The Inception modules 3, 4 and 5 work on 16, 8 and 4 pixels a side.
    """
    network = _torchvisions(classes)
    network.maxpool1 = nn.Identity()
    return for_small_images(network, channels)


def _imagenet(classes: int, channels: int) -> nn.Module:
    return with_channels(_torchvisions(classes), channels)


GOOGLENET = Network(cifar=_cifar, imagenet=_imagenet, smallest_image=16)
