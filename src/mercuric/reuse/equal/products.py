"""Which products that no reuse layer computes go by rows?

Models call them as functions, with weights that they make first, or from layers of their own classes.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.equal.convolution import convolve
from mercuric.reuse.equal.shared_tensor import HANDLERS, SharedTensor
from mercuric.reuse.equal.sides import Pair, pair
from mercuric.reuse.equal.table import table_of
from mercuric.reuse.geometry import ConvGeometry
from mercuric.reuse.precision import left_to_torch


def linear(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A product with each row, which is never more than one with each position."""
    return _linear(func, *args, **kwargs)


def convolution(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A product with each class of windows, where that is faster, as a layer's."""
    return _convolution(1 if func is F.conv1d else 2, *args, **kwargs)


def _linear(func: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    table = table_of(x)
    if table is None or table.flat or table.channel != len(table.shape) - 1 or not _are_plain(weight, bias):
        return NotImplemented
    if weight.dim() != 2 or weight.shape[1] != table.rows.shape[1] or left_to_torch(table.rows, weight, bias):
        return NotImplemented
    return table.with_rows(func(table.rows, weight, bias))


def _convolution(
    dimensions: int,
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    functions = x._record.functions if isinstance(x, SharedTensor) else None
    if functions is None or not _are_plain(weight, bias):
        return NotImplemented
    if not x.dim() == weight.dim() == dimensions + 2 or not x.numel():
        return NotImplemented
    filters, images = (weight, x) if dimensions == 2 else (weight.unsqueeze(2), x.unsqueeze(2))
    steps, apart = pair(stride, dimensions, 1), pair(dilation, dimensions, 1)
    pads = _pads(padding, dimensions, filters, steps, apart)
    if pads is None:
        return NotImplemented
    kernel = (int(filters.shape[2]), int(filters.shape[3]))
    name = f"conv{dimensions}d of {tuple(x.shape[1:])} with {tuple(weight.shape)}"
    options = {"stride": steps, "padding": pads, "dilation": apart, "groups": groups}
    name += "".join(
        f", {option} {value}" for option, value in options.items() if value not in (1, (1, 1), (0,) * 4)
    )
    geometry = ConvGeometry(
        name, images.shape[1], len(filters), kernel, steps, apart, pads, "zeros", groups
    )  # fmt: skip
    if not _fits(images, filters, bias, geometry):
        return NotImplemented
    state = functions.call(name)
    found = convolve(images, filters, bias, geometry, state) if state.on else None
    if found is None:
        state.dense(geometry.grid(len(images), images.shape[2:]).windows)
        return NotImplemented
    return found if dimensions == 2 else found.squeeze(2)


def _pads(
    padding: Any, dimensions: int, filters: Tensor, stride: Pair, dilation: Pair
) -> tuple[int, int, int, int] | None:
    """Left, right, above and below; None for what PyTorch refuses."""
    if padding == "same":
        if stride != (1, 1):
            return None
        lines, columns = (step * (taps - 1) for step, taps in zip(dilation, filters.shape[2:], strict=True))
        return columns // 2, columns - columns // 2, lines // 2, lines - lines // 2
    lines, columns = (0, 0) if padding == "valid" else pair(padding, dimensions, 0)
    return columns, columns, lines, lines


def _fits(images: Tensor, filters: Tensor, bias: Tensor | None, geometry: ConvGeometry) -> bool:
    """Whether it is a convolution; PyTorch says what is wrong with another."""
    left, right, above, below = geometry.pads
    sides = (images.shape[2] + above + below, images.shape[3] + left + right)
    spans = [
        step * (taps - 1) + 1 for step, taps in zip(geometry.dilation, geometry.kernel_size, strict=True)
    ]
    return (
        min(*geometry.stride, *geometry.dilation, *geometry.kernel_size, geometry.groups) >= 1
        and min(geometry.pads) >= 0
        and filters.shape[1] * geometry.groups == images.shape[1]
        and len(filters) % geometry.groups == 0
        and (bias is None or bias.shape == (len(filters),))
        and all(side >= span for side, span in zip(sides, spans, strict=True))
    )


def _are_plain(weight: object, bias: object) -> bool:
    return isinstance(weight, Tensor) and not any(isinstance(one, SharedTensor) for one in (weight, bias))


HANDLERS[F.linear] = linear
HANDLERS.update(dict.fromkeys((F.conv2d, F.conv1d, torch.conv2d, torch.conv1d), convolution))
