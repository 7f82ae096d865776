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
from mercuric.similarity.threads import over_chunks

PANEL_ROWS = 384
"""Of a thread: few enough to stay near its core."""


def convolve(rows: Tensor, filters: Tensor, bias: Tensor | None, members: Tensor) -> Tensor:
    """rows (R, C) of members (U, T) times filters (M, T x C): (U, M)."""
    products, adjoint = rows.new_empty(len(members), len(filters)), filters.T.contiguous()
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        for part, _, panel in _panels(rows, members):
            if bias is None:
                torch.mm(panel, adjoint, out=products[part])
            else:
                torch.addmm(bias, panel, adjoint, out=products[part])
    return products


def convolution_gradients(
    gradient: Tensor, rows: Tensor, filters: Tensor, members: Tensor, needed: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Of the rows and of the filters, of those that are ``needed``."""
    d_rows = torch.zeros_like(rows, memory_format=torch.contiguous_format) if needed[0] else None
    d_filters = torch.zeros_like(filters) if needed[1] else None
    gradient, channels = gradient.contiguous(), rows.shape[1]
    with torch.autocast("cpu", enabled=False):
        for part, own, panel in _panels(rows, members, filled=needed[1]):
            if d_filters is not None:
                d_filters.addmm_(gradient[part].T, panel)
            if d_rows is not None:
                torch.mm(gradient[part], filters, out=panel)
                add_back(flat(panel), own, flat(d_rows), channels)
    return d_rows, d_filters


def _panels(
    rows: Tensor, members: Tensor, filled: bool = True
) -> Iterator[tuple[slice, NDArray[np.int32], Tensor]]:
    """Classes, their members, and memory for their gathered rows, which are in it where it is ``filled``."""
    (count, taps), channels = members.shape, rows.shape[1]
    values, indices = flat(rows), members.contiguous().numpy()
    step = max(1, min(count, PANEL_ROWS * torch.get_num_threads()))
    elements = scratch("panel", step * taps * channels, values.dtype)
    memory = torch.from_numpy(elements).view(step, taps * channels)
    for first in range(0, count, step):
        part = slice(first, min(first + step, count))
        if filled:
            fill(values, channels, indices[part], elements)
        yield part, indices[part], memory[: part.stop - first]


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
