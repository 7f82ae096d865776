"""How fast is a convolution of rows on a processor? A panel of gathered windows at a time, then one product.

Panels are gathered anew for gradients: what is kept between the passes shrinks as rows do.
"""

from collections.abc import Callable, Collection, Iterator
from functools import reduce

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.reuse.equal.kernels.cpu.moves import add_chunk, gather_chunk
from mercuric.reuse.equal.kernels.cpu.operands import flat, over_channels, tensor_of
from mercuric.reuse.equal.kernels.cpu.scratch import scratch
from mercuric.similarity.threads import over_bounds, over_chunks

PANEL_BYTES = 1 << 21
"""Few enough to stay near a core, and not so few that a product reads its filters for a handful of rows."""
LONGER = 4
"""Panels of bfloat16 are so many times as large: oneDNN lays the operands of each product out anew."""
THREAD_BYTES = 1 << 20
"""Of gathered rows; for fewer another thread is not worth calling."""


def convolve(rows: Tensor, filters: Tensor, bias: Tensor | None, members: Tensor) -> Tensor:
    """rows (R, C) of members (U, T) times filters (M, T x C): (U, M)."""
    products, adjoint = rows.new_empty(len(members), len(filters)), filters.T.contiguous()
    panels = _Panels(rows, members)

    def run(first: int, last: int) -> None:
        for part, _, panel in panels.between(first, last):
            if bias is None:
                torch.mm(panel, adjoint, out=products[part])
            else:
                torch.addmm(bias, panel, adjoint, out=products[part])

    over_bounds(_numbers_alone(run), panels.bounds)
    return products


def convolution_gradients(
    gradient: Tensor, rows: Tensor, filters: Tensor, members: Tensor, needed: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Of the rows and of the filters, of those that are ``needed``; each thread adds up its own.

    bfloat16 is added up in float32, of a panel's products rounded once.
    """
    gradient, panels = gradient.contiguous(), _Panels(rows, members)
    starts, exact = panels.bounds[:-1], torch.promote_types(rows.dtype, torch.float32)
    d_rows = {first: torch.zeros(rows.shape, dtype=exact) for first in starts if needed[0]}
    d_filters = {first: torch.zeros(filters.shape, dtype=exact) for first in starts if needed[1]}

    def run(first: int, last: int) -> None:
        channels, into = rows.shape[1], flat(d_rows[first]) if needed[0] else None
        for part, own, panel in panels.between(first, last, filled=needed[1]):
            if needed[1]:
                _add_product(d_filters[first], gradient[part].T, panel)
            if into is not None:
                torch.mm(gradient[part], filters, out=panel)
                add_chunk(0, channels, flat(panel), own, 1, into, channels)

    over_bounds(_numbers_alone(run), panels.bounds)
    return _total(d_rows.values(), rows.dtype), _total(d_filters.values(), filters.dtype)


def _add_product(sums: Tensor, left: Tensor, right: Tensor) -> None:
    if sums.dtype == left.dtype:
        sums.addmm_(left, right)
    else:
        sums.add_(left @ right)


def _numbers_alone(run: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """The same on a thread that knows nothing of the caller's modes: without gradients and autocast."""
    inference = torch.is_inference_mode_enabled()

    def alone(first: int, last: int) -> None:
        with torch.inference_mode(inference), torch.no_grad(), torch.autocast("cpu", enabled=False):
            run(first, last)

    return alone


def _total(parts: Collection[Tensor], dtype: torch.dtype) -> Tensor | None:
    return reduce(torch.Tensor.add_, parts).to(dtype) if parts else None


class _Panels:
    """Gathered rows of windows, a panel of classes at a time.

    Attributes:
        bounds: the classes that each thread works on.
    """

    def __init__(self, rows: Tensor, members: Tensor) -> None:
        self._values, self._members = flat(rows), members.contiguous().numpy()
        self._channels = rows.shape[1]
        count, width = len(members), max(1, members.shape[1] * self._channels * rows.element_size())
        most = PANEL_BYTES * (LONGER if rows.dtype == torch.bfloat16 else 1)
        self._step = max(1, most // width)
        threads = max(1, min(torch.get_num_threads(), count * width // THREAD_BYTES))
        self.bounds = [count * thread // threads for thread in range(threads + 1)]

    def between(
        self, first: int, last: int, filled: bool = True
    ) -> Iterator[tuple[slice, NDArray[np.int32], Tensor]]:
        """Classes, their members, and memory for their gathered rows, which are there if it is ``filled``."""
        step, width = min(last - first, self._step), self._members.shape[1] * self._channels
        elements = scratch("panel", step * width, self._values.dtype)
        panel = tensor_of(elements).view(step, width)
        for begin in range(first, last, max(1, step)):
            end = min(begin + step, last)
            own = self._members[begin:end]
            if filled:
                gather_chunk(0, own.size, self._values, self._channels, own.reshape(-1), elements)
            yield slice(begin, end), own, panel[: end - begin]


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
