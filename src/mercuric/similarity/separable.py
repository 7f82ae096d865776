"""How are the signatures of overlapping windows found at the price of their pixels'?

A column of a separable projection is a weight a tap times a weight a channel, so a pixel is projected
once, by a 1x1 convolution, and a window adds its pixels' projections up: for k x k windows of C
channels and n bits, C n + k k n operations a window instead of k k C n.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.similarity.rpq import MAX_BITS, WORD, check_bits, pack
from mercuric.similarity.threads import over_chunks
from mercuric.similarity.window_grid import (
    ACROSS,
    COLUMNS,
    DILATED_ACROSS,
    DILATED_DOWN,
    DOWN,
    HEIGHT,
    KERNEL_COLUMNS,
    KERNEL_ROWS,
    LEFT,
    ROWS,
    TOP,
    WIDTH,
    WindowGrid,
)


@dataclass(frozen=True)
class SeparableProjection:
    """Columns j of elements ``channels[c, j] * taps[t, j]``.

    Attributes:
        channels: float32, (C, n), from N(0, 1).
        taps: float32, (T, n), of either sign and from 0.5 to 1.5 in size: signs alone would cancel exactly in
            flat and in mirrored windows, and leave their bits to rounding. All 1 where a window is one pixel.
    """

    channels: Tensor
    taps: Tensor

    @property
    def matrix(self) -> Tensor:
        """The same as one projection matrix (C x T, n), elements in the order of an im2col row."""
        return (self.channels[:, None, :] * self.taps).flatten(0, 1)


def separable_projection(channels: int, taps: int, bits: int, seed: int = 0) -> SeparableProjection:
    """Draw one; a longer signature extends a shorter one, as ``random_projection``'s do.

    Args:
        channels: channels of a window, C.
        taps: pixels of a window, T.
        bits: signature length, n, from 1 to 128.
        seed: what it is drawn from.

    Raises:
        ValueError: ``channels`` or ``taps`` is under 1, or ``bits`` is not from 1 to 128.
    """
    check_bits(bits)
    if channels < 1 or taps < 1:
        raise ArgumentError(
            f"channels and taps were {channels} and {taps}, but an input vector has at least 1 element"
        )
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(MAX_BITS, channels, generator=generator)[:bits]
    uniform = torch.rand(MAX_BITS, taps, generator=generator)[:bits] * 2 - 1
    weights = uniform + 0.5 * uniform.sign() if taps > 1 else torch.ones(bits, 1)
    return SeparableProjection(drawn.T.contiguous(), weights.T.contiguous())


def reference_grid_signatures(pixels: Tensor, taps: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    """The definition: a window's projections are its pixels', each times its tap, added up in raster order.

    Args:
        pixels: (images x height x width, lanes), float32 or float64: the pixels' projections; lanes over
            n are not read.
        taps: (T, n).
        grid: where the windows lie; pixels outside an image project to 0.

    Returns:
        The signatures, int64, (Q, words); and whether a window's projections are all finite, bool, (Q,).
        One whose projections are not is like no other.
    """
    images, rows, columns = grid.output
    lanes = taps.shape[1]
    total = pixels.new_zeros(images, rows, columns, lanes)
    image = pixels[:, :lanes].reshape(images, grid.height, grid.width, lanes)
    for tap, weights in enumerate(taps.to(pixels.dtype)):
        y = torch.arange(rows) * grid.stride[0] - grid.top + tap // grid.kernel[1] * grid.dilation[0]
        x = torch.arange(columns) * grid.stride[1] - grid.left + tap % grid.kernel[1] * grid.dilation[1]
        inside = ((y >= 0) & (y < grid.height))[:, None] & ((x >= 0) & (x < grid.width))
        values = image[:, y.clamp(0, grid.height - 1)][:, :, x.clamp(0, grid.width - 1)]
        total += torch.where(inside[..., None], values * weights, torch.zeros_like(values))
    return pack(total < 0).view(grid.windows, -1), total.isfinite().all(-1).view(-1)


def grid_signatures(pixels: Tensor, taps: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    """:func:`reference_grid_signatures`, bit for bit, compiled.

    Fastest where the number of lanes is that of :func:`lanes`.

    Raises:
        ValueError: another dtype, or not as many pixels, lanes or taps as the grid and the signatures need.
    """
    bits, count = taps.shape[1], grid.output[0] * grid.height * grid.width
    if pixels.dtype not in (torch.float32, torch.float64) or len(pixels) != count or pixels.shape[1] < bits:
        raise ArgumentError(
            f"pixels was {pixels.dtype} of shape {tuple(pixels.shape)}, but must be torch.float32 or "
            f"torch.float64 of shape ({count}, at least {bits})"
        )
    if len(taps) != grid.taps:
        raise ArgumentError(
            f"taps had {len(taps)} rows, but must have {grid.taps}, one a pixel of the window"
        )
    columns = grid.output[2]
    weights = np.zeros((len(taps), columns, pixels.shape[1]), dtype=pixels.numpy().dtype)
    weights[:, :, :bits] = taps.numpy()[:, None]
    found = np.empty((grid.windows, (bits + WORD - 1) // WORD), dtype=np.int64)
    finite = np.empty(grid.windows, dtype=np.bool_)
    over_chunks(
        _sign_rows, grid.output[0] * grid.output[1],
        pixels.reshape(-1).numpy(), pixels.shape[1], weights.reshape(len(taps), -1), grid.numbers,
        found, finite,
    )  # fmt: skip
    return torch.from_numpy(found), torch.from_numpy(finite)


def lanes(bits: int) -> int:
    """Projections that are computed for ``bits``: whole registers of 16."""
    return (bits + _LANES - 1) // _LANES * _LANES


_LANES = 16


@njit(nogil=True, cache=True)
def _sign_rows(
    first: int,
    last: int,
    pixels: NDArray[np.float32],
    lanes: int,
    weights: NDArray[np.float32],
    grid: NDArray[np.int64],
    found: NDArray[np.int64],
    finite: NDArray[np.bool_],
) -> None:
    height, width, kernel_rows, kernel_columns = (
        grid[HEIGHT],
        grid[WIDTH],
        grid[KERNEL_ROWS],
        grid[KERNEL_COLUMNS],
    )
    rows, columns = grid[ROWS], grid[COLUMNS]
    total = np.empty_like(weights[0])
    places = np.int64(1) << np.arange(64)
    for line in range(first, last):
        image, row = line // rows, line % rows
        total[:] = 0
        for tap in range(kernel_rows * kernel_columns):
            y = row * grid[DOWN] - grid[TOP] + tap // kernel_columns * grid[DILATED_DOWN]
            if y < 0 or y >= height:
                continue
            left = tap % kernel_columns * grid[DILATED_ACROSS] - grid[LEFT]
            # Columns whose pixel lies inside the image.
            begin = max(0, -(left // grid[ACROSS]))
            end = max(begin, min(columns, (width - 1 - left) // grid[ACROSS] + 1))
            place = ((image * height + y) * width + left) * lanes
            if grid[ACROSS] == 1 and begin < end:
                _add_weighted(total, pixels, weights[tap], begin * lanes, end * lanes, place)
                continue
            for column in range(begin, end):
                shifted = place + column * (grid[ACROSS] - 1) * lanes
                _add_weighted(total, pixels, weights[tap], column * lanes, (column + 1) * lanes, shifted)
        windows = slice(line * columns, (line + 1) * columns)
        _pack(total, lanes, places, found[windows])
        _mark_finite(total, lanes, finite[windows])


@njit(nogil=True, cache=True)
def _add_weighted(
    total: NDArray[np.float32],
    pixels: NDArray[np.float32],
    weights: NDArray[np.float32],
    begin: int,
    end: int,
    place: int,
) -> None:
    into, pixel, weight = total[begin:end], pixels[place + begin : place + end], weights[begin:end]
    for element in range(len(into)):
        into[element] += pixel[element] * weight[element]


@njit(nogil=True, cache=True)
def _pack(
    total: NDArray[np.float32], lanes: int, places: NDArray[np.int64], found: NDArray[np.int64]
) -> None:
    for column in range(len(found)):
        for word in range(found.shape[1]):
            begin = column * lanes + 64 * word
            values = total[begin : begin + min(64, lanes - 64 * word)]
            packed = np.int64(0)
            for lane in range(len(values)):
                packed |= places[lane] if values[lane] < 0 else np.int64(0)
            found[column, word] = packed


@njit(nogil=True, cache=True)
def _mark_finite(total: NDArray[np.float32], lanes: int, finite: NDArray[np.bool_]) -> None:
    # x - x is 0, and NaN where x is not finite. Lanes behind the last bit are finite where all others are.
    for column in range(len(finite)):
        values = total[column * lanes : (column + 1) * lanes]
        good = True
        for lane in range(lanes):
            good &= values[lane] - values[lane] == 0
        finite[column] = good
