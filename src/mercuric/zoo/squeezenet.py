"""What is SqueezeNet 1.0 (Iandola et al., 2016) here?"""

from typing import Any

from torch import nn

from mercuric.torchvision_operators import torchvision
from mercuric.zoo.first_convolution import for_small_images, with_channels
from mercuric.zoo.network import Network


def _with_signed_scores(classes: int) -> Any:
    """torchvision's network without the ReLU between the last convolution and the global pooling.

    A class whose scores all fall below zero would have no gradient from then on; with few classes
    that happens to all of them, and training stands still. No parameter changes.
    """
    network = torchvision.models.squeezenet1_0(weights=None, num_classes=classes)
    network.classifier[2] = nn.Identity()
    return network


def _cifar(classes: int, channels: int) -> Any:
    """A first convolution of 3x3 and stride 1, and batch normalisation after every convolution but the last.

    The Fire modules work on 16, 8 and 4 pixels a side. Without batch normalisation the network
    hardly trains from scratch at the learning rates of the others.
    """
    network = _with_signed_scores(classes)
    for_small_images(network, channels)
    network.features[0] = _normalised(network.features[0])
    for module in network.features:
        if isinstance(module, torchvision.models.squeezenet.Fire):
            for name in ("squeeze", "expand1x1", "expand3x3"):
                setattr(module, name, _normalised(getattr(module, name)))
    return network


def _normalised(convolution: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels))


def _imagenet(classes: int, channels: int) -> Any:
    """Another number of channels draws the first weights as torchvision does (He et al., fan in).

    Nothing normalises this form, so that a smaller first draw would shrink every later layer.
    """
    network = _with_signed_scores(classes)
    with_channels(network, channels)
    nn.init.kaiming_uniform_(network.features[0].weight)
    return network


SQUEEZENET = Network(cifar=_cifar, imagenet=_imagenet, smallest_image=16)
