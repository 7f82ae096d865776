"""How does a network that was written for colour take another number of channels?"""

from typing import Any

from torch import nn


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
        "bias": first.bias is not None,
    }
    replacement = nn.Conv2d(channels, first.out_channels, **geometry)
    nn.init.kaiming_normal_(replacement.weight, mode="fan_out", nonlinearity="relu")
    if replacement.bias is not None:
        nn.init.zeros_(replacement.bias)
    network.set_submodule(name, replacement)
    return network


def _first_convolution(network: nn.Module) -> tuple[str, nn.Conv2d]:
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            return name, module
    raise ValueError(f"network was a {type(network).__name__} without a Conv2d, but it must have one")
