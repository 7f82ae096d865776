"""What is AlexNet (Krizhevsky et al., NeurIPS 2012) here?"""

from collections import OrderedDict

from torch import nn

from mercuric.torchvision_operators import torchvision
from mercuric.zoo.first_convolution import torchvision_form
from mercuric.zoo.network import Network


def _cifar(classes: int, channels: int) -> nn.Module:
    """The common CIFAR adaptation: 3x3 kernels, a first stride of 2, poolings of 2x2.

    Channels (64, 192, 384, 256, 256) and the three fully connected layers are torchvision's; a
    32x32 image ends as 2x2 pixels.
    """
    features = nn.Sequential(
        *_convolution(channels, 64, stride=2),
        nn.MaxPool2d(2),
        *_convolution(64, 192),
        nn.MaxPool2d(2),
        *_convolution(192, 384),
        *_convolution(384, 256),
        *_convolution(256, 256),
        nn.MaxPool2d(2),
    )
    head = nn.Sequential(
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(256 * 2 * 2, 4096),
        nn.ReLU(inplace=True),
        nn.Dropout(),
        nn.Linear(4096, 4096),
        nn.ReLU(inplace=True),
        nn.Linear(4096, classes),
    )
    return nn.Sequential(OrderedDict(features=features, classifier=head))


def _convolution(inputs: int, outputs: int, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1), nn.ReLU(inplace=True)


ALEXNET = Network(cifar=_cifar, imagenet=torchvision_form(torchvision.models.alexnet), smallest_image=31)
