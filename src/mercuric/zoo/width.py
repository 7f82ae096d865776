"""How is a network made narrower?"""

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError

Product = nn.Conv2d | nn.Linear
ROUNDING = 1e-9


@dataclass(frozen=True)
class Kept:
    """What a layer keeps of its weights.

    Attributes:
        outputs: (M,) int64, places in the layer's outputs (of a normalisation: its features).
        inputs: (M, C) or (1, C) int64: of each kept output, places in the inputs of its group; None
            for a normalisation.
        groups: of a convolution, afterwards.
    """

    outputs: Tensor
    inputs: Tensor | None = None
    groups: int = 1


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
        raise ArgumentError(f"width was {width}, but it must be above 0 and at most 1")
    if width == 1:
        return network
    layers = {name: module for name, module in network.named_modules() if has_parameters(module)}
    products = [name for name, module in layers.items() if isinstance(module, Product)]
    plans = {}
    for name, layer in layers.items():
        shrink = _Shrink(width, name)
        if isinstance(layer, nn.BatchNorm2d):
            plans[name] = Kept(torch.arange(shrink(layer.num_features)))
        elif isinstance(layer, Product):
            plans[name] = _first_channels(layer, shrink, name == products[0], name == products[-1])
        else:
            raise ArgumentError(
                f"width was {width}, but {name} is a {type(layer).__name__}, which can't shrink"
            )
    for name, layer in layers.items():
        keep(layer, plans[name])
    return network


def keep(layer: nn.Module, kept: Kept) -> None:
    """Leave an ``nn.Conv2d``, ``nn.Linear`` or ``nn.BatchNorm2d`` with some of its channels, in place.

    Weights are scaled as :func:`narrow` says.
    """
    outputs = len(kept.outputs)
    inputs = 0 if kept.inputs is None else kept.inputs.shape[1] * kept.groups
    if isinstance(layer, nn.BatchNorm2d):
        layer.num_features = outputs
        for name in ("running_mean", "running_var"):
            buffer: Tensor | None = getattr(layer, name)
            setattr(layer, name, None if buffer is None else buffer[kept.outputs])
    elif isinstance(layer, nn.Linear):
        layer.in_features, layer.out_features = inputs, outputs
    elif isinstance(layer, nn.Conv2d):
        layer.in_channels, layer.out_channels, layer.groups = inputs, outputs, kept.groups
    _slice(layer, "weight", kept.outputs, kept.inputs)
    _slice(layer, "bias", kept.outputs)


def has_parameters(module: nn.Module) -> bool:
    """Whether a module's own state shrinks with its channels."""
    return isinstance(module, nn.BatchNorm2d) or any(True for _ in module.parameters(recurse=False))


@dataclass(frozen=True)
class _Shrink:
    width: float
    layer: str

    def __call__(self, count: int) -> int:
        exact = count * self.width
        rounded = round(exact)
        if rounded < 1 or abs(exact - rounded) > ROUNDING * count:
            raise ArgumentError(
                f"width was {self.width}, but {self.layer} has {count} channels, and {count} times the "
                f"width must be a whole number (it is {exact:g})"
            )
        return rounded


def _first_channels(layer: Product, shrink: _Shrink, first: bool, last: bool) -> Kept:
    inputs, outputs = _inputs_and_outputs(layer)
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    groups = groups if first or groups == 1 else shrink(groups)
    inputs = inputs if first else shrink(inputs)
    outputs = outputs if last else shrink(outputs)
    return Kept(torch.arange(outputs), torch.arange(inputs // groups)[None], groups)


def _inputs_and_outputs(layer: Product) -> tuple[int, int]:
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    return layer.in_channels, layer.out_channels


@torch.no_grad()
def _slice(layer: nn.Module, name: str, outputs: Tensor, inputs: Tensor | None = None) -> None:
    """Keep some rows, and of each row some columns at a larger scale."""
    drawn: nn.Parameter | None = getattr(layer, name)
    if drawn is None:
        return
    if inputs is None:
        kept = drawn[outputs]
    else:
        kept = drawn[outputs[:, None], inputs] * sqrt(drawn.shape[1] / inputs.shape[1])
    setattr(layer, name, nn.Parameter(kept, requires_grad=drawn.requires_grad))
