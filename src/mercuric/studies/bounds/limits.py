"""What would other ways to skip work save at most, on the same layer? (paper VII-D)

Every bound counts the multiply-accumulates of a layer's forward product that are left, and takes
all else as free: finding what repeats, indices, additions inside groups, idle multipliers.
"""

from dataclasses import replace
from math import prod

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse.geometry import ConvGeometry
from mercuric.reuse.kinds.convolution import ConvolutionKind
from mercuric.reuse.layer_kinds import filters_of, kind_of


def ucnn_macs(layer: nn.Module, outputs: int, bits: int, free_additions: bool = True) -> int:
    """UCNN: a filter's equal weights share one multiplication, zero weights none (paper VII-D1).

    Activations under equal weights are added first. With ``free_additions`` every group's sum is there
    already, made for another filter: the paper's largest saving. Without, each filter adds its own, and
    a multiplication or an addition is half a multiply-accumulate. Weights are rounded to ``bits`` bits,
    symmetric about zero, one scale for the layer.

    Args:
        layer: its weights are read.
        outputs: pixels (or rows) that each filter makes.
        bits: 2 to 16.
        free_additions: whether sums of groups cost nothing.

    Raises:
        ValueError: ``bits`` is out of range.
    """
    if not 2 <= bits <= 16:
        raise ArgumentError(f"bits was {bits}, but must be from 2 to 16")
    levels = _levels(filters_of(layer), bits).flatten(1)
    multiplications = int(_distinct_nonzero(levels).sum())
    if free_additions:
        return outputs * multiplications
    return outputs * (multiplications + int(levels.count_nonzero())) // 2


def zero_pruning_macs(layer: nn.Module, inputs: Tensor) -> int:
    """Unlimited zero pruning: only products of a nonzero input with a nonzero weight (paper VII-D2).

    Padding counts as zeros.

    Args:
        layer: its weights are read.
        inputs: what it is given.
    """
    weight = (filters_of(layer) != 0).double()
    present = (inputs.detach() != 0).double()
    lowered = _lowered(layer, present)
    if lowered is None:
        return int((present.flatten(0, -2).sum(0) * weight.sum(0)).sum())
    geometry, images = lowered
    together = weight.reshape(geometry.groups, -1, *weight.shape[1:]).sum(1)
    return int(replace(geometry, padding_mode="zeros").dense(images, together, None).sum())


def similar_element_macs(layer: nn.Module, inputs: Tensor, bits: int | None = None) -> int:
    """Unlimited similarity: each pair of an input value and a weight value multiplied once (VII-D3).

    Within an image and channel, as the MCACHE is cleared; zero values need no product. With
    stride 1 every value of a channel meets every weight of it, so the count is distinct values x
    distinct weights; elsewhere this is bounded by the dense count.

    Args:
        layer: its weights are read.
        inputs: what it is given.
        bits: None: values are similar if they are equal; else if they are equal once rounded to so
            many bits, symmetric about zero, one scale for the inputs and one for the weights.

    Raises:
        ValueError: ``bits`` is out of range.
    """
    if bits is not None and not 2 <= bits <= 16:
        raise ArgumentError(f"bits was {bits}, but must be from 2 to 16")
    x, weight = inputs.detach(), filters_of(layer)
    if bits is not None:
        x, weight = _levels(x, bits), _levels(weight, bits)
    lowered = _lowered(layer, x)
    if lowered is None:
        values, weights = x.flatten(0, -2).T, weight.T
        return _pairs(values, weights, dense=values.shape[1] * weights.shape[1])
    geometry, images = lowered
    by_group = weight.reshape(geometry.groups, -1, *weight.shape[1:])
    grouped = by_group.transpose(1, 2).flatten(0, 1).flatten(1)
    channels = images.flatten(2).transpose(0, 1)
    dense = geometry.macs(images) // (images.shape[0] * images.shape[1])
    return sum(_pairs(channels[:, image], grouped, dense) for image in range(images.shape[0]))


def dense_macs(layer: nn.Module, inputs: Tensor) -> int:
    """Multiply-accumulates of the whole forward product, zeros and padding included."""
    return outputs_of(layer, inputs) * filters_of(layer).numel()


def outputs_of(layer: nn.Module, inputs: Tensor) -> int:
    """Pixels, or rows, that each filter makes of these inputs."""
    lowered = _lowered(layer, inputs)
    if lowered is None:
        return prod(inputs.shape[:-1])
    geometry, images = lowered
    return geometry.grid(len(images), images.shape[2:]).windows


def _lowered(layer: nn.Module, inputs: Tensor) -> tuple[ConvGeometry, Tensor] | None:
    """The convolution that the layer computes, and of which images; None for products of rows."""
    kind = kind_of(layer)
    return (kind.geometry(layer), kind.images(inputs)) if isinstance(kind, ConvolutionKind) else None


def _levels(values: Tensor, bits: int) -> Tensor:
    """Rounded to 2^bits - 1 levels about zero, as whole numbers."""
    largest = values.abs().max() if values.numel() else values.new_ones(())
    scale = largest / (2 ** (bits - 1) - 1)
    return torch.zeros_like(values) if scale == 0 else torch.round(values / scale)


def _distinct_nonzero(rows: Tensor) -> Tensor:
    """How many different values other than zero each row holds, int64."""
    ordered = rows.sort(dim=1).values
    new = torch.ones_like(ordered, dtype=torch.bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return (new & (ordered != 0)).sum(1)


def _pairs(values: Tensor, weights: Tensor, dense: int) -> int:
    """Distinct values x distinct weights, a row of each at a time, but never more than ``dense``."""
    return int((_distinct_nonzero(values) * _distinct_nonzero(weights)).clamp(max=dense).sum())
