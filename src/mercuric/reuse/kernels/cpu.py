"""The product with reuse on a CPU: gather windows, one matrix product, scatter."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from mercuric.reuse.windows import Windows
from mercuric.similarity.threads import over_chunks

SCRATCH_ELEMENTS = 1 << 22
"""Elements of gathered windows held at a time: bounds memory, and keeps them near the cores."""


class CpuProduct(Function):
    """:func:`~mercuric.reuse.kernels.reference.reference_product` for float32 and float64.

    Where one vector spans the whole window, only representatives enter the three products, and
    their results are handed out; else every window is gathered from its channels' representatives.
    """

    @staticmethod
    def forward(ctx: Any, padded: Tensor, weight: Tensor, source: Tensor, windows: Windows) -> Tensor:
        """See the reference; ``padded`` must be contiguous."""
        ctx.save_for_backward(padded, weight, source)
        ctx.windows = windows
        kept, inverse = _distinct(source)
        groups, filters, _ = weight.shape
        product = padded.new_empty(groups, filters, kept.shape[1])
        for part, columns in _gathered(padded, kept, windows, groups):
            product[..., part] = weight @ columns
        product = product.view(groups * filters, -1)
        return product if inverse is None else product.index_select(1, inverse)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Adjoint: add gradients up over each group, then two products, then scatter."""
        padded, weight, source = ctx.saved_tensors
        windows = ctx.windows
        kept, inverse = _distinct(source)
        groups, filters, _ = weight.shape
        if inverse is not None:
            gradient = gradient.new_zeros(len(gradient), kept.shape[1]).index_add_(1, inverse, gradient)
        gradient = gradient.reshape(groups, filters, -1)
        d_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        d_padded = torch.zeros_like(padded) if ctx.needs_input_grad[0] else None
        for part, columns in _gathered(padded, kept, windows, groups, fill=d_weight is not None):
            if d_weight is not None:
                d_weight.baddbmm_(gradient[..., part], columns.transpose(1, 2))
            if d_padded is not None:
                torch.matmul(weight.transpose(1, 2), gradient[..., part], out=columns)
                _scatter(columns, d_padded, kept[:, part], windows)
        return d_padded, d_weight, None, None


def _distinct(source: Tensor) -> tuple[Tensor, Tensor | None]:
    """Windows whose products are computed, (channel groups, R), and which of them each window uses."""
    if len(source) > 1:
        return source, None
    own = source[0] == torch.arange(source.shape[1])
    rank = own.cumsum(0) - 1
    return own.nonzero().view(1, -1), rank[source[0]]


def _gathered(
    padded: Tensor, kept: Tensor, windows: Windows, groups: int, fill: bool = True
) -> Iterator[tuple[slice, Tensor]]:
    """Parts of the kept windows as columns (groups, elements, part), in one scratch buffer."""
    count = kept.shape[1]
    step = min(count, max(1, SCRATCH_ELEMENTS // windows.length))
    scratch = padded.new_empty(windows.length * step)
    for first in range(0, count, step):
        part = slice(first, min(first + step, count))
        columns = scratch[: windows.length * (part.stop - first)].view(groups, -1, part.stop - first)
        if fill:
            _gather(padded, columns, kept[:, part], windows)
        yield part, columns


def _gather(padded: Tensor, columns: Tensor, kept: Tensor, windows: Windows) -> None:
    _over_channels(_gather_channels, padded, columns, kept, windows)


def _scatter(columns: Tensor, padded: Tensor, kept: Tensor, windows: Windows) -> None:
    _over_channels(_scatter_channels, padded, columns, kept, windows)


def _over_channels(kernel: Any, padded: Tensor, columns: Tensor, kept: Tensor, windows: Windows) -> None:
    over_chunks(
        kernel, windows.channels,
        padded.view(-1).numpy(), columns.view(windows.length, -1).numpy(), kept.contiguous().numpy(),
        windows.starts.numpy(), windows.taps.numpy(), windows.channel_stride,
        windows.channels // len(kept),
    )  # fmt: skip


@njit(nogil=True, cache=True)
def _gather_channels(
    first: int,
    last: int,
    flat: NDArray[np.float32],
    columns: NDArray[np.float32],
    kept: NDArray[np.int64],
    starts: NDArray[np.int64],
    taps: NDArray[np.int64],
    channel_stride: int,
    span: int,
) -> None:
    for channel in range(first, last):
        group = channel // span
        base = channel * channel_stride
        for tap in range(len(taps)):
            offset = base + taps[tap]
            row = columns[channel * len(taps) + tap]
            for q in range(len(row)):
                row[q] = flat[starts[kept[group, q]] + offset]


@njit(nogil=True, cache=True)
def _scatter_channels(
    first: int,
    last: int,
    flat: NDArray[np.float32],
    columns: NDArray[np.float32],
    kept: NDArray[np.int64],
    starts: NDArray[np.int64],
    taps: NDArray[np.int64],
    channel_stride: int,
    span: int,
) -> None:
    for channel in range(first, last):
        group = channel // span
        base = channel * channel_stride
        for tap in range(len(taps)):
            offset = base + taps[tap]
            row = columns[channel * len(taps) + tap]
            for q in range(len(row)):
                flat[starts[kept[group, q]] + offset] += row[q]
