"""The product with reuse on a CPU: gather windows, one matrix product, scatter."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numba import njit
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.grad import conv2d_weight

from mercuric.reuse.alike.kernels.differentiable import Assignment, Gradients, Needed
from mercuric.reuse.row_products import add_up_outer, as_image, multiply
from mercuric.reuse.windows import Windows
from mercuric.similarity.threads import over_chunks

SCRATCH_ELEMENTS = 1 << 22
"""Elements of gathered windows held at a time: bounds memory, and keeps them near the cores."""


@dataclass(frozen=True)
class CpuProduct:
    """:func:`~mercuric.reuse.alike.kernels.reference.reference_product` for float32 and float64.

    Where one vector spans the whole window, only representatives enter the three products, and
    their results are handed out; else every window is gathered from its channels' representatives.

    Attributes:
        windows: where the windows lie in the inputs.
    """

    windows: Windows

    def product(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, assignment: Assignment) -> Tensor:
        """See the reference."""
        inputs = inputs.contiguous()
        groups, filters, _ = weight.shape
        kept, inverse = _distinct(*assignment)
        product = inputs.new_empty(kept.shape[1], groups * filters)
        for part, rows in _gathered(inputs, kept, self.windows):
            product[part] = _multiply(rows, weight, bias)
        return product if inverse is None else product.index_select(0, inverse)

    def gradients(
        self, gradient: Tensor, inputs: Tensor, weight: Tensor, needed: Needed, assignment: Assignment
    ) -> Gradients:
        """Adjoint: add gradients up over each group, then two products, then scatter."""
        inputs = inputs.contiguous()
        d_bias = gradient.sum(0) if needed[2] else None
        d_weight = torch.zeros_like(weight) if needed[1] else None
        d_inputs = torch.zeros_like(inputs) if needed[0] else None
        kept, inverse = _distinct(*assignment)
        if inverse is not None:
            summed = gradient.new_zeros(kept.shape[1], gradient.shape[1])
            gradient = summed.index_add_(0, inverse, gradient)
        adjoint = weight.transpose(1, 2).contiguous()
        for part, rows in _gathered(inputs, kept, self.windows, fill=needed[1]):
            if d_weight is not None:
                d_weight += _weight_gradient(rows, gradient[part], weight.shape)
            if d_inputs is not None:
                _scatter(_multiply(gradient[part], adjoint), d_inputs, kept, part.start, self.windows)
        return d_inputs, d_weight, d_bias


def _multiply(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """rows (Q, groups x inner) times weight (groups, outer, inner): (Q, groups x outer)."""
    if len(weight) == 1:
        return multiply(rows.contiguous(), weight[0], bias)
    filters = weight.reshape(-1, weight.shape[2], 1, 1)
    with torch.autocast("cpu", enabled=False):
        return _as_rows(F.conv2d(as_image(rows.contiguous()), filters, bias, groups=len(weight)))


def _weight_gradient(rows: Tensor, gradient: Tensor, shape: torch.Size) -> Tensor:
    groups, filters, length = shape
    if groups == 1:
        return add_up_outer(gradient.contiguous(), rows).view(shape)
    found: Tensor = conv2d_weight(  # type: ignore[no-untyped-call]
        as_image(rows.contiguous()),
        (groups * filters, length, 1, 1),
        as_image(gradient.contiguous()),
        groups=groups,
    )
    return found.view(shape)


def _as_rows(image: Tensor) -> Tensor:
    return image.permute(0, 2, 3, 1)[0, 0]


def _distinct(source: Tensor) -> tuple[Tensor, Tensor | None]:
    """Windows whose products are computed, (channel groups, R), and which of them each window uses."""
    if len(source) > 1:
        return source.contiguous(), None
    own = source[0] == torch.arange(source.shape[1])
    rank = own.cumsum(0) - 1
    return own.nonzero().view(1, -1), rank[source[0]]


def _gathered(
    padded: Tensor, kept: Tensor, windows: Windows, fill: bool = True
) -> Iterator[tuple[slice, Tensor]]:
    """Parts of the kept windows as rows (part, elements), in one scratch buffer."""
    count = kept.shape[1]
    step = max(1, min(count, SCRATCH_ELEMENTS // windows.length))
    scratch = padded.new_empty(step, windows.length)
    for first in range(0, count, step):
        part = slice(first, min(first + step, count))
        rows = scratch[: part.stop - first]
        if fill:
            over_chunks(_gather_rows, len(rows), *_arrays(padded, rows, kept, first, windows))
        yield part, rows


def _scatter(rows: Tensor, padded: Tensor, kept: Tensor, offset: int, windows: Windows) -> None:
    # Threads share channels out, not rows: rows of one image overlap.
    over_chunks(_scatter_channels, windows.channels, *_arrays(padded, rows, kept, offset, windows))


def _arrays(padded: Tensor, rows: Tensor, kept: Tensor, offset: int, windows: Windows) -> tuple[Any, ...]:
    return (
        padded.view(-1).numpy(), rows.contiguous().numpy(), kept.numpy(), offset,
        windows.starts.numpy(), windows.taps.numpy(), windows.channel_stride,
    )  # fmt: skip


@njit(nogil=True, cache=True)
def _gather_rows(
    first: int,
    last: int,
    flat: NDArray[np.float32],
    rows: NDArray[np.float32],
    kept: NDArray[np.int64],
    offset: int,
    starts: NDArray[np.int64],
    taps: NDArray[np.int64],
    channel_stride: int,
) -> None:
    # Unsigned places into slices spare a test for negative indices at every element.
    groups, window, places = len(kept), len(taps), taps.astype(np.uint64)
    span = rows.shape[1] // window // groups
    for q in range(first, last):
        row = rows[q]
        for group in range(groups):
            start = starts[kept[group, offset + q]]
            for channel in range(group * span, (group + 1) * span):
                plane = flat[start + channel * channel_stride :]
                vector = row[channel * window : (channel + 1) * window]
                for tap in range(window):
                    vector[tap] = plane[places[tap]]


@njit(nogil=True, cache=True)
def _scatter_channels(
    first: int,
    last: int,
    flat: NDArray[np.float32],
    rows: NDArray[np.float32],
    kept: NDArray[np.int64],
    offset: int,
    starts: NDArray[np.int64],
    taps: NDArray[np.int64],
    channel_stride: int,
) -> None:
    window, places = len(taps), taps.astype(np.uint64)
    span = rows.shape[1] // window // len(kept)
    for q in range(len(rows)):
        row = rows[q]
        for channel in range(first, last):
            plane = flat[starts[kept[channel // span, offset + q]] + channel * channel_stride :]
            vector = row[channel * window : (channel + 1) * window]
            for tap in range(window):
                plane[places[tap]] += vector[tap]
