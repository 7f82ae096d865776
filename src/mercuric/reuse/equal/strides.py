"""Of which shape is a dense tensor, and by which strides do its numbers lie?"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mercuric.reuse.equal.classes import Classes


def whole_shape(rows: Tensor, classes: Classes, channel: int) -> tuple[int, ...]:
    """Of positions, with the channels among them."""
    places = classes.ids.shape
    return (*places[:channel], rows.shape[1], *places[channel:])


def kept_strides(shape: Sequence[int], strides: tuple[int, ...]) -> tuple[int, ...]:
    """Those of what a function of one number at a time gives of a tensor of these."""
    return torch.empty_like(torch.empty_strided(tuple(shape), strides, device="meta")).stride()


def new_strides(shape: Sequence[int], channel: int, channels_last: bool) -> tuple[int, ...]:
    """Those of a dense tensor that is made anew, images in the format of the pass."""
    order = list(range(len(shape)))
    if channels_last and channel == 1 and len(shape) == 4:
        order.append(order.pop(channel))
    strides, step = [0] * len(shape), 1
    for dimension in reversed(order):
        strides[dimension] = step
        step *= max(shape[dimension], 1)
    return tuple(strides)


def laid_out(plain: Tensor, strides: tuple[int, ...]) -> Tensor:
    """A tensor whose numbers lie by these strides, which have no gaps."""
    if plain.stride() == strides:
        return plain
    order = sorted(range(plain.dim()), key=lambda place: (-strides[place], plain.shape[place] == 1))
    places = sorted(range(plain.dim()), key=order.__getitem__)
    ordered = plain.permute(order)
    # A dimension of one place may have any stride, by which PyTorch may take images for another format's.
    return ordered.flatten().view(ordered.shape).permute(places)
