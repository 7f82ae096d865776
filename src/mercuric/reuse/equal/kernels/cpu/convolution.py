"""How fast is a convolution of rows on a processor? A panel of gathered windows at a time, then one product.

Panels are gathered anew for gradients: what is kept between the passes shrinks as rows do.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.reuse.equal.kernels.cpu.moves import add_back, fill
from mercuric.reuse.equal.kernels.cpu.operands import flat, over_channels
from mercuric.reuse.equal.kernels.cpu.scratch import scratch
from mercuric.reuse.row_products import add_up_outer, multiply, whole_images
from mercuric.similarity.threads import over_chunks

PANEL_ROWS, PANEL_ELEMENTS = 1 << 11, 1 << 20
"""Of a thread, the larger: few enough to stay near its core, enough to make laying filters out cheap."""


def convolve(rows: Tensor, filters: Tensor, bias: Tensor | None, members: Tensor) -> Tensor:
    """rows (R, C) of members (U, T) times filters (M, T x C): (U, M)."""
    products = rows.new_empty(len(members), len(filters))
    for part, panel in _panels(rows, members):
        products[part] = multiply(panel, filters, bias)[: part.stop - part.start]
    return products


def convolution_gradients(
    gradient: Tensor, rows: Tensor, filters: Tensor, members: Tensor, needed: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Of the rows and of the filters, of those that are ``needed``."""
    d_rows = torch.zeros_like(rows, memory_format=torch.contiguous_format) if needed[0] else None
    d_filters = torch.zeros_like(filters) if needed[1] else None
    adjoint = filters.T.contiguous()
    for part, panel in _panels(rows, members, filled=needed[1]):
        d_panel = _whole(gradient[part], len(panel))
        if d_filters is not None:
            d_filters += add_up_outer(d_panel, panel)
        if d_rows is not None:
            add_back(multiply(d_panel, adjoint), members[part], d_rows)
    return d_rows, d_filters


def _panels(rows: Tensor, members: Tensor, filled: bool = True) -> Iterator[tuple[slice, Tensor]]:
    """Classes and their gathered rows, with zeros up to the next multiple of 16."""
    count, taps = members.shape
    rows, length = rows.detach().contiguous(), taps * rows.shape[1]
    most = torch.get_num_threads() * max(PANEL_ROWS, PANEL_ELEMENTS // max(length, 1))
    step = whole_images(max(1, min(count, most)))
    memory = torch.from_numpy(scratch("panel", step * length, flat(rows).dtype)).view(step, length)
    as_they_are = taps == 1 and count == len(rows) and bool((members[:, 0].diff() == 1).all())
    for first in range(0, count, step):
        part = slice(first, min(first + step, count))
        panel = memory[: whole_images(part.stop - first)]
        if as_they_are:
            panel = _whole(rows[part], len(panel))
        elif filled:
            fill(rows, members[part], flat(panel))
            panel[part.stop - first :] = 0
        yield part, panel


def _whole(rows: Tensor, count: int) -> Tensor:
    if len(rows) == count:
        return rows.contiguous()
    whole = rows.new_zeros(count, rows.shape[1])
    whole[: len(rows)] = rows
    return whole


def convolve_channels(rows: Tensor, factors: Tensor, members: Tensor) -> Tensor:
    """rows (R, C) of members (U, T) times factors (T, C), added up over members: (U, C)."""
    products = rows.new_empty(len(members), rows.shape[1])
    over_chunks(
        _convolve_channels, len(members),
        flat(rows), flat(factors), rows.shape[1], members.contiguous().numpy(), flat(products),
    )  # fmt: skip
    return products


def channel_gradients(
    gradient: Tensor, rows: Tensor, factors: Tensor, members: Tensor
) -> tuple[Tensor, Tensor]:
    """Of the rows and of the factors."""
    d_rows, d_factors = torch.zeros_like(rows), torch.zeros(factors.shape, dtype=torch.float64)
    over_channels(
        _channel_gradients, rows.shape[1], flat(gradient), flat(rows), flat(factors), rows.shape[1],
        members.contiguous().numpy(), flat(d_rows), flat(d_factors),
    )  # fmt: skip
    return d_rows, d_factors.to(factors.dtype)


@njit(nogil=True, cache=True)
def _convolve_channels(
    first: int,
    last: int,
    rows: NDArray[np.float32],
    factors: NDArray[np.float32],
    channels: int,
    members: NDArray[np.int32],
    products: NDArray[np.float32],
) -> None:
    width = np.uint64(channels)
    for one in range(first, last):
        into = np.uint64(one) * width
        for channel in range(width):
            products[into + channel] = 0
        for tap in range(members.shape[1]):
            member = members[one, tap]
            if member >= 0:
                start, factor = np.uint64(member) * width, np.uint64(tap) * width
                for channel in range(width):
                    products[into + channel] += rows[start + channel] * factors[factor + channel]


@njit(nogil=True, cache=True)
def _channel_gradients(
    first: int,
    last: int,
    gradient: NDArray[np.float32],
    rows: NDArray[np.float32],
    factors: NDArray[np.float32],
    channels: int,
    members: NDArray[np.int32],
    d_rows: NDArray[np.float32],
    d_factors: NDArray[np.float64],
) -> None:
    width, begin, count = np.uint64(channels), np.uint64(first), np.uint64(last - first)
    for one in range(len(members)):
        value = np.uint64(one) * width + begin
        for tap in range(members.shape[1]):
            member = members[one, tap]
            if member >= 0:
                start, factor = np.uint64(member) * width + begin, np.uint64(tap) * width + begin
                for channel in range(count):
                    d_rows[start + channel] += gradient[value + channel] * factors[factor + channel]
                for channel in range(count):
                    d_factors[factor + channel] += gradient[value + channel] * rows[start + channel]
