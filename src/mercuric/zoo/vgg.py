"""What are VGG13, VGG16 and VGG19 (Simonyan and Zisserman, ICLR 2015) here?"""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from torch import nn

from mercuric.torchvision_operators import torchvision
from mercuric.zoo.first_convolution import torchvision_form, with_channels
from mercuric.zoo.network import Network


def _cifar(layer_plan: str, classes: int, channels: int) -> nn.Module:
    """torchvision's layer plan for 32x32, with batch normalisation so that it trains from scratch.

    Five poolings leave one pixel of a 32x32 image, so a single fully connected layer is the head.
    """
    vgg = torchvision.models.vgg
    features = vgg.make_layers(vgg.cfgs[layer_plan], batch_norm=True)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))
    return with_channels(nn.Sequential(OrderedDict(features=features, classifier=head)), channels)


def _network(layer_plan: str, constructor: Callable[..., nn.Module]) -> Network:
    return Network(
        cifar=partial(_cifar, layer_plan), imagenet=torchvision_form(constructor), smallest_image=32
    )


VGG13 = _network("B", torchvision.models.vgg13)
VGG16 = _network("D", torchvision.models.vgg16)
VGG19 = _network("E", torchvision.models.vgg19)
