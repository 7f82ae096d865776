"""Which vectors' results may be further from the exact ones than allowed?

With R = (I - U U^T) W the result of vector x in the group with centre c misses the exact one by R (x - c):
by no more than the largest singular value of R times ||x - c||. Nothing about the data is assumed.
"""

from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.reuse.directions.basis import PrincipalDirections
from mercuric.reuse.directions.product import as_rows
from mercuric.reuse.directions.residual.window_pixels import WindowPixels
from mercuric.similarity.threads import over_chunks

ROUNDING = 1e-4
"""What float32 sums may add to a bound, as a share of it."""


def amplification(weight: Tensor, directions: PrincipalDirections) -> float:
    """The largest singular value of what the directions leave out of a weight (filters, C, height, width)."""
    rows, basis = as_rows(weight.detach()).double(), directions.basis.double()
    left_out = rows - basis @ (basis.T @ rows)
    square = left_out @ left_out.T if len(rows) <= rows.shape[1] else left_out.T @ left_out
    return float(torch.linalg.eigvalsh(square)[-1].clamp(min=0).sqrt())


def over_bound(outputs: Tensor, distances: Tensor, amplified: float, max_error: float) -> Tensor:
    """Vectors whose relative output error may exceed ``max_error``, bool (vectors,).

    The exact result is at least as long as the computed one less the bound on their distance.

    Args:
        outputs: (vectors, filters), as computed, without bias.
        distances: (vectors,): of each vector from its group's centre.
        amplified: :func:`amplification` of the layer.
        max_error: largest ||computed - exact|| / ||exact||.
    """
    bound = amplified * (1 + ROUNDING) * distances
    over: Tensor = bound * (1 + max_error) > max_error * torch.linalg.vector_norm(outputs, dim=1)
    return over


def distances(windows: WindowPixels, centres: Tensor, number: Tensor) -> Tensor:
    """How far each window lies from its group's centre, (vectors,), float32 or wider.

    Args:
        windows: of a layer's input.
        centres: (groups, kernel pixels x C).
        number: int64, (vectors,): each window's group.
    """
    if centres.device.type != "cpu" or centres.dtype not in (torch.float32, torch.float64):
        return reference_distances(windows, centres, number)
    corner = windows.places(number.new_zeros(1))[0]
    found = torch.empty(len(number), dtype=centres.dtype)
    first = windows.places(torch.arange(len(number)))[:, 0]
    over_chunks(
        _distances, len(number), windows.pixels.detach().numpy(), centres.detach().numpy(), number.numpy(),
        first.numpy(), corner.numpy(), found.numpy(),
    )  # fmt: skip
    return found


def reference_distances(windows: WindowPixels, centres: Tensor, number: Tensor) -> Tensor:
    """What :func:`distances` finds, by definition."""
    every = windows.gather(torch.arange(len(number), device=number.device))
    exact = torch.promote_types(every.dtype, torch.float32)
    found: Tensor = torch.linalg.vector_norm(every.to(exact) - centres.to(exact)[number], dim=1)
    return found


@njit(cache=True, nogil=True, fastmath=True)
def _distances(
    start: int, stop: int, pixels: NDArray[Any], centres: NDArray[Any], number: NDArray[np.int64],
    first: NDArray[np.int64], taps: NDArray[np.int64], found: NDArray[Any],
) -> None:  # fmt: skip
    channels = pixels.shape[1]
    for vector in range(start, stop):
        centre = centres[number[vector]]
        total = found.dtype.type(0)
        for tap in range(len(taps)):
            pixel = pixels[first[vector] + taps[tap]]
            part = centre[tap * channels : (tap + 1) * channels]
            for channel in range(channels):
                difference = pixel[channel] - part[channel]
                total += difference * difference
        found[vector] = np.sqrt(total)
