"""How does a network that was written for large colour images take other images?"""

from collections.abc import Callable
from typing import Any

from torch import nn

from mercuric.errors import ArgumentError
from mercuric.zoo.network import Builder


def torchvision_form(constructor: Callable[..., nn.Module]) -> Builder:
    """Builds torchvision's network as it is, but for the channels that it reads."""
    return lambda classes, channels: with_channels(constructor(weights=None, num_classes=classes), channels)


def with_channels(network: nn.Module, channels: int) -> nn.Module:
    """``network``, its first convolution replaced by one of ``channels`` input channels.

    The new weights are drawn from torch's current generator as VGG's are (He et al., fan out). A
    network that has ``channels`` already is returned untouched.

    Raises:
        ValueError: the network has no convolution.
    """
    name, first = _first_convolution(network)
    if first.in_channels == channels:
        return network
    geometry: dict[str, Any] = {
        "kernel_size": first.kernel_size,
        "stride": first.stride,
        "padding": first.padding,
        "dilation": first.dilation,
    }
    network.set_submodule(name, _convolution(first, channels, geometry))
    return network


def for_small_images(network: nn.Module, channels: int) -> nn.Module:
    """``network``, its first convolution replaced by 3x3 kernels, stride 1 and padding 1.

    It is the usual CIFAR adaptation (He et al., CVPR 2016, 4.2): 32x32 images lose no pixels to the
    first layer. The weights are drawn as in ``with_channels``, whatever the number of channels.

    Raises:
        ValueError: the network has no convolution.
    """
    name, first = _first_convolution(network)
    network.set_submodule(name, _convolution(first, channels, {"kernel_size": 3, "padding": 1}))
    return network


def _convolution(first: nn.Conv2d, channels: int, geometry: dict[str, Any]) -> nn.Conv2d:
    replacement = nn.Conv2d(channels, first.out_channels, bias=first.bias is not None, **geometry)
    nn.init.kaiming_normal_(replacement.weight, mode="fan_out", nonlinearity="relu")
    if replacement.bias is not None:
        nn.init.zeros_(replacement.bias)
    return replacement


def _first_convolution(network: nn.Module) -> tuple[str, nn.Conv2d]:
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            return name, module
    raise ArgumentError(f"network was a {type(network).__name__} without a Conv2d, but it must have one")
