"""How is a convolution with reuse computed from a channels_last image, without an im2col of it?

Representatives' windows are gathered, multiplied, and their results handed out, in bounded scratch.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.reuse.alike.kernels.differentiable import Assignment, Gradients, Needed, differentiable_product
from mercuric.reuse.alike.kernels.patch_copies import (
    add_windows,
    gather_windows,
    members,
    place_rows,
    repeat_rows,
    sum_members,
)
from mercuric.reuse.row_products import add_up_outer, multiply, whole_images
from mercuric.similarity.first_come import FirstCome
from mercuric.similarity.threads import over_chunks
from mercuric.similarity.window_grid import WindowGrid

SCRATCH_ELEMENTS = 1 << 22
"""Elements of gathered windows held at a time: each product lays its filters out anew."""

_DTYPES = (torch.float32, torch.float64, torch.bfloat16)


def patch_product(
    images: Tensor, weight: Tensor, bias: Tensor | None, found: FirstCome, grid: WindowGrid
) -> Tensor:
    """:func:`~mercuric.reuse.alike.kernels.reference.reference_product` where a vector is a whole window.

    float32, float64 and bfloat16 are multiplied as they are; bfloat16 sums in float32.

    Args:
        images: (N, C, H, W), read in place where it is channels_last.
        weight: (M, C, kernel rows, kernel columns), of the images' dtype.
        bias: (M,) or None.
        found: each window's representative.
        grid: where the windows lie.

    Returns:
        (N, M, H', W'), channels_last, with exact gradients.

    Raises:
        ValueError: operands that don't fit.
    """
    assignment = (found.source, found.rank, found.kept)
    return differentiable_product(PatchProduct(grid), images, weight, bias, *assignment)


@dataclass(frozen=True)
class PatchProduct:
    """The kernel of :func:`patch_product`."""

    grid: WindowGrid

    def product(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, assignment: Assignment) -> Tensor:
        """(N, C, H, W) to (N, M, H', W'), channels_last."""
        found = FirstCome(*assignment)
        _check(inputs, weight, found, self.grid)
        batch, rows, columns = self.grid.output
        # Its own memory and no view, so that an activation may change it in place.
        out = torch.empty(
            (batch, len(weight), rows, columns), dtype=inputs.dtype, memory_format=torch.channels_last
        )
        results, filters = pixel_rows(out), filter_rows(weight)
        for part, windows in gathered_windows(pixel_rows(inputs), found.kept, self.grid):
            place(multiply(windows, filters, bias), found.kept[part], results)
        repeat(found.source, results)
        return out

    def gradients(
        self, gradient: Tensor, inputs: Tensor, weight: Tensor, needed: Needed, assignment: Assignment
    ) -> Gradients:
        """Adjoint: add gradients up over each group, then two products, then scatter."""
        found = FirstCome(*assignment)
        exact = torch.promote_types(inputs.dtype, torch.float32)
        filters = filter_rows(weight)
        channels = inputs.shape[1]
        adjoint = filters.T.contiguous()
        d_pixels = torch.zeros(inputs.numel(), dtype=exact) if needed[0] else None
        d_filters = torch.zeros(filters.shape, dtype=exact) if needed[1] else None
        d_bias = torch.zeros(len(weight), dtype=exact) if needed[2] else None
        kept, numbers = found.kept, self.grid.numbers
        sums = _Summed(pixel_rows(gradient).to(exact), found)
        for part, windows in gathered_windows(pixel_rows(inputs), kept, self.grid, fill=needed[1]):
            summed = sums(part)
            if d_bias is not None:
                d_bias += summed.sum(0)
            summed = summed.to(inputs.dtype)
            if d_filters is not None:
                d_filters += add_up_outer(summed, windows)
            if d_pixels is not None:
                rows = multiply(summed, adjoint).to(exact).numpy()
                over_chunks(
                    add_windows, channels, d_pixels.numpy(), channels, kept[part].numpy(), numbers, rows
                )
        return (
            None if d_pixels is None else _as_images(d_pixels, inputs),
            None if d_filters is None else _as_weight(d_filters, weight),
            None if d_bias is None else d_bias.to(inputs.dtype),
        )


def _check(images: Tensor, weight: Tensor, found: FirstCome, grid: WindowGrid) -> None:
    """Refuse what the kernels would read or write past the ends of."""
    if images.dtype not in _DTYPES or weight.dtype != images.dtype:
        raise ArgumentError(
            f"images and weight were {images.dtype} and {weight.dtype}, but must both be torch.float32, "
            "torch.float64 or torch.bfloat16"
        )
    shape, kernel = (grid.output[0], weight.shape[1], grid.height, grid.width), tuple(weight.shape[2:])
    if tuple(images.shape) != shape or kernel != grid.kernel or len(found.source) != grid.windows:
        raise ArgumentError(
            f"images were {tuple(images.shape)}, the kernel {kernel} and windows {len(found.source)}, but by "
            f"the grid and the weight must be {shape}, {grid.kernel} and {grid.windows}"
        )


def place(product: Tensor, kept: Tensor, results: Tensor) -> None:
    """Write the rows of ``product`` to the places ``kept`` of ``results``."""
    over_chunks(place_rows, len(kept), _array(product), kept.numpy(), _array(results))


def repeat(source: Tensor, results: Tensor) -> None:
    """Hand the representatives' rows of ``results`` out."""
    over_chunks(repeat_rows, len(results), source.numpy(), _array(results))


def pixel_rows(images: Tensor) -> Tensor:
    """(N, C, H, W) as (N x H x W, C), contiguous; no copy of what is contiguous as channels_last."""
    return images.permute(0, 2, 3, 1).reshape(-1, images.shape[1]).contiguous()


def filter_rows(weight: Tensor) -> Tensor:
    """Filters in the order of gathered windows, (M, taps x C)."""
    return weight.permute(0, 2, 3, 1).reshape(len(weight), -1).contiguous()


def _as_weight(matrix: Tensor, weight: Tensor) -> Tensor:
    filters, channels, *kernel = weight.shape
    return matrix.view(filters, *kernel, channels).permute(0, 3, 1, 2).to(weight.dtype)


def _as_images(flat: Tensor, images: Tensor) -> Tensor:
    batch, channels, height, width = images.shape
    return flat.view(batch, height, width, channels).permute(0, 3, 1, 2).to(images.dtype)


def _array(values: Tensor) -> NDArray[Any]:
    # NumPy has no bfloat16; what is only moved may be anything of its size.
    return (values.view(torch.int16) if values.dtype == torch.bfloat16 else values).numpy()


def gathered_windows(
    pixels: Tensor, kept: Tensor, grid: WindowGrid, fill: bool = True
) -> Iterator[tuple[slice, Tensor]]:
    """Parts of the kept windows as rows, rounded up to whole images, in one scratch buffer."""
    channels = pixels.shape[1]
    length = grid.taps * channels
    step = whole_images(max(1, min(len(kept), SCRATCH_ELEMENTS // length)))
    scratch = _scratch(step if fill else 0, length, pixels.dtype)
    for first in range(0, len(kept), step):
        part = slice(first, min(first + step, len(kept)))
        rows = scratch[: whole_images(part.stop - first)]
        if fill:
            rows[part.stop - first :] = 0
            over_chunks(
                gather_windows, part.stop - first,
                _array(pixels).reshape(-1), channels, kept[part].numpy(), grid.numbers, _array(rows),
            )  # fmt: skip
        yield part, rows


_kept_scratch = threading.local()


def _scratch(rows: int, length: int, dtype: torch.dtype) -> Tensor:
    """The thread's own, (rows, length): fresh memory costs a page fault every 4 KiB."""
    held: Tensor | None = getattr(_kept_scratch, "held", None)
    size = rows * length
    if held is None or held.dtype != dtype or held.numel() < size:
        held = _kept_scratch.held = torch.empty(size, dtype=dtype)
    return held[:size].view(rows, length)


class _Summed:
    """Sums of the rows of each representative's windows, part by part."""

    def __init__(self, rows: Tensor, found: FirstCome) -> None:
        self._rows = rows
        self._order = np.empty(len(rows), dtype=np.int64)
        self._ends = np.zeros(len(found.kept) + 2, dtype=np.int64)
        members(found.rank.numpy(), self._ends, self._order)

    def __call__(self, part: slice) -> Tensor:
        count = part.stop - part.start
        sums = self._rows.new_zeros(whole_images(count), self._rows.shape[1])
        over_chunks(sum_members, count, self._rows.numpy(), self._order, self._ends, part.start, sums.numpy())
        return sums
