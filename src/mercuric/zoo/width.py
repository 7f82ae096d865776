"""How is a network made narrower?"""

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn

Product = nn.Conv2d | nn.Linear
ROUNDING = 1e-9


def narrow(network: nn.Module, width: float) -> nn.Module:
    """``network`` with ``width`` times the channels of every layer, in place.

    The channels of the input image and the classes of the last layer stay; the groups of a
    convolution shrink with its channels. A layer keeps a slice of the weights that were drawn for it,
    times the square root of how much fewer products it now sums (He et al., ICCV 2015): a fresh
    network's outputs keep their scale. Biases and normalisation are slices as they are.

    Args:
        network: a network of ``nn.Conv2d``, ``nn.BatchNorm2d`` and ``nn.Linear``; the first product
            in ``named_modules`` reads the image and the last gives the classes.
        width: above 0 and at most 1; at 1 the network is returned untouched.

    Raises:
        ValueError: the width is out of range, a count of channels times it is not a whole number, or
            another layer has parameters. The network is then unchanged.
    """
    if not 0 < width <= 1:
        raise ValueError(f"width was {width}, but it must be above 0 and at most 1")
    if width == 1:
        return network
    layers = {name: module for name, module in network.named_modules() if _has_parameters(module)}
    products = [name for name, module in layers.items() if isinstance(module, Product)]
    plans = {}
    for name, layer in layers.items():
        shrink = _Shrink(width, name)
        if isinstance(layer, nn.BatchNorm2d):
            plans[name] = _Sizes(0, shrink(layer.num_features))
        elif isinstance(layer, Product):
            plans[name] = _product_sizes(layer, shrink, name == products[0], name == products[-1])
        else:
            raise ValueError(f"width was {width}, but {name} is a {type(layer).__name__}, which can't shrink")
    for name, layer in layers.items():
        _apply(layer, plans[name])
    return network


@dataclass(frozen=True)
class _Sizes:
    inputs: int
    outputs: int
    groups: int = 1


@dataclass(frozen=True)
class _Shrink:
    width: float
    layer: str

    def __call__(self, count: int) -> int:
        exact = count * self.width
        rounded = round(exact)
        if rounded < 1 or abs(exact - rounded) > ROUNDING * count:
            raise ValueError(
                f"width was {self.width}, but {self.layer} has {count} channels, and {count} times the "
                f"width must be a whole number (it is {exact:g})"
            )
        return rounded


def _has_parameters(module: nn.Module) -> bool:
    return isinstance(module, nn.BatchNorm2d) or any(True for _ in module.parameters(recurse=False))


def _product_sizes(layer: Product, shrink: _Shrink, first: bool, last: bool) -> _Sizes:
    inputs, outputs = _inputs_and_outputs(layer)
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    return _Sizes(
        inputs if first else shrink(inputs),
        outputs if last else shrink(outputs),
        groups if first or groups == 1 else shrink(groups),
    )


def _inputs_and_outputs(layer: Product) -> tuple[int, int]:
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    return layer.in_channels, layer.out_channels


def _apply(layer: nn.Module, sizes: _Sizes) -> None:
    if isinstance(layer, nn.BatchNorm2d):
        layer.num_features = sizes.outputs
        for name in ("running_mean", "running_var"):
            buffer: Tensor | None = getattr(layer, name)
            setattr(layer, name, None if buffer is None else buffer[: sizes.outputs].clone())
        _slice(layer, "weight", sizes.outputs)
    elif isinstance(layer, nn.Linear):
        layer.in_features, layer.out_features = sizes.inputs, sizes.outputs
        _slice(layer, "weight", sizes.outputs, sizes.inputs)
    elif isinstance(layer, nn.Conv2d):
        layer.in_channels, layer.out_channels, layer.groups = sizes.inputs, sizes.outputs, sizes.groups
        _slice(layer, "weight", sizes.outputs, sizes.inputs // sizes.groups)
    _slice(layer, "bias", sizes.outputs)


@torch.no_grad()
def _slice(layer: nn.Module, name: str, outputs: int, fan_in: int | None = None) -> None:
    """Keep the first rows, and of each row the first ``fan_in`` channels at a larger scale."""
    drawn: nn.Parameter | None = getattr(layer, name)
    if drawn is None:
        return
    kept = drawn[:outputs].clone()
    if fan_in is not None:
        kept = kept[:, :fan_in] * sqrt(drawn.shape[1] / fan_in)
    setattr(layer, name, nn.Parameter(kept, requires_grad=drawn.requires_grad))
