"""How fast are rows normalised by statistics of all positions on a processor? Sums are float64."""

from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.reuse.equal.kernels.cpu.operands import flat
from mercuric.similarity.threads import over_chunks


def statistics(rows: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance, float64 (C,), of rows (U, C) with float64 shares (U,) of all positions.

    One pass, from the commonest row on: its squared distance from the mean is at most the variance over its
    share, so that subtracting loses no more than that factor.
    """
    if not len(rows):
        nothing = torch.full((rows.shape[1],), torch.nan, dtype=torch.float64)
        return nothing, nothing.clone()
    middle = rows[shares.argmax()].double()
    both = _summed(_moments, rows, flat(rows), flat(shares), flat(middle))
    first, second = both.view(2, -1)
    return middle + first, (second - first.square()).clamp(min=0)


def normalise(rows: Tensor, mean: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """(rows - mean) times scale plus shift, in float64 before it is rounded."""
    normalised = torch.empty_like(rows, memory_format=torch.contiguous_format)
    over_chunks(_normalise, len(rows), flat(rows), flat(mean), flat(scale), flat(shift), flat(normalised))
    return normalised


def normalisation_gradients(
    gradient: Tensor, rows: Tensor, shares: Tensor, mean: Tensor, inverse: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of the rows, the weight and the bias; the latter two float64.

    Args:
        gradient: (U, C), of the normalised rows.
        rows: (U, C).
        shares: float64 (U,), of all positions.
        mean, inverse: float64 (C,), the rows' mean and 1 over their deviation.
        weight: float64 (C,).
    """
    both = _summed(_gradient_sums, rows, flat(gradient), flat(rows), flat(mean), flat(inverse))
    d_bias, d_weight = both.view(2, -1)
    d_rows = torch.empty_like(rows, memory_format=torch.contiguous_format)
    over_chunks(
        _row_gradients, len(rows), flat(gradient), flat(rows), flat(shares), flat(mean),
        flat(weight * inverse), flat(d_bias), flat(d_weight * inverse), flat(d_rows),
    )  # fmt: skip
    return d_rows, d_weight, d_bias


def _summed(kernel: Any, rows: Tensor, *arguments: NDArray[Any]) -> Tensor:
    """Two sums over rows, of chunks that threads share, float64 (2 x C,)."""
    count = max(1, min(torch.get_num_threads(), len(rows)))
    sums = np.zeros((count, 2 * rows.shape[1]))

    def run(first: int, last: int) -> None:
        for part in range(first, last):
            kernel(len(rows) * part // count, len(rows) * (part + 1) // count, *arguments, sums[part])

    over_chunks(run, count)
    return torch.from_numpy(sums.sum(0))


@njit(nogil=True, cache=True)
def _moments(
    first: int,
    last: int,
    rows: NDArray[np.float32],
    shares: NDArray[np.float64],
    middle: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Of the rows' distances from the middle, and behind that of their squares."""
    width = np.uint64(len(middle))
    for row in range(first, last):
        share, start = shares[row], np.uint64(row) * width
        for channel in range(width):
            away = rows[start + channel] - middle[channel]
            sums[channel] += share * away
            sums[width + channel] += share * away * away


@njit(nogil=True, cache=True)
def _normalise(
    first: int,
    last: int,
    rows: NDArray[np.float32],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    shift: NDArray[np.float64],
    normalised: NDArray[np.float32],
) -> None:
    width = np.uint64(len(mean))
    for row in range(first, last):
        start = np.uint64(row) * width
        for channel in range(width):
            away = rows[start + channel] - mean[channel]
            normalised[start + channel] = away * scale[channel] + shift[channel]


@njit(nogil=True, cache=True)
def _gradient_sums(
    first: int,
    last: int,
    gradient: NDArray[np.float32],
    rows: NDArray[np.float32],
    mean: NDArray[np.float64],
    inverse: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Of the gradient, and behind it of its products with what was normalised."""
    width = np.uint64(len(mean))
    for row in range(first, last):
        start = np.uint64(row) * width
        for channel in range(width):
            value = np.float64(gradient[start + channel])
            sums[channel] += value
            sums[width + channel] += value * (rows[start + channel] - mean[channel]) * inverse[channel]


@njit(nogil=True, cache=True)
def _row_gradients(
    first: int,
    last: int,
    gradient: NDArray[np.float32],
    rows: NDArray[np.float32],
    shares: NDArray[np.float64],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    d_bias: NDArray[np.float64],
    slope: NDArray[np.float64],
    d_rows: NDArray[np.float32],
) -> None:
    width = np.uint64(len(mean))
    for row in range(first, last):
        share, start = shares[row], np.uint64(row) * width
        for channel in range(width):
            through = d_bias[channel] + (rows[start + channel] - mean[channel]) * slope[channel]
            d_rows[start + channel] = scale[channel] * (gradient[start + channel] - share * through)
