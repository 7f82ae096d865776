"""How does a GPU compute alike windows once, with exact gradients?

Nothing is read by the host and no shape depends on the data, so that after a first step, which tunes the
tiles, a step can be captured in a CUDA graph. Speed is unmeasured; the kernels are tested under Triton's
interpreter.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from mercuric.reuse.kernels.gpu.compaction import Computed, compact
from mercuric.reuse.kernels.gpu.gradient_sum import group_sums
from mercuric.reuse.kernels.gpu.input_gradient import input_gradient
from mercuric.reuse.kernels.gpu.operands import check_operands
from mercuric.reuse.kernels.gpu.product import windows_product
from mercuric.reuse.kernels.gpu.signature import window_signatures
from mercuric.reuse.kernels.gpu.table import first_alike
from mercuric.reuse.kernels.gpu.weight_gradient import weight_gradient
from mercuric.similarity.separable import SeparableProjection
from mercuric.similarity.window_grid import WindowGrid


@dataclass(frozen=True)
class Alike:
    """Which windows are alike; windows are numbered images first, then raster order.

    Attributes:
        representatives: int32, (Q,): the first window of the same scope and signature as each.
        signatures: int64, (Q, words).
        finite: bool, (Q,): windows whose projections are not finite are like no other.
    """

    representatives: Tensor
    signatures: Tensor
    finite: Tensor


def alike_windows(images: Tensor, projection: SeparableProjection, grid: WindowGrid, scopes: int) -> Alike:
    """Compare windows by the signs of a separable projection; the MCACHE is unlimited.

    Args:
        images: (N, H, W, C), contiguous.
        projection: of C channels and the grid's taps.
        grid: where the windows lie.
        scopes: how often the MCACHE is cleared: N, or 1 for a batch compared as a whole.
    """
    device = images.device
    with torch.no_grad(), torch.autocast(device.type, enabled=False):
        # Tensor cores take 16-bit matrices by eights of columns.
        columns = F.pad(projection.channels.to(device, images.dtype), (0, -projection.channels.shape[1] % 8))
        projected = images @ columns
    taps = projection.taps.to(device, torch.float32).contiguous()
    signatures, finite = window_signatures(projected, taps, grid)
    return Alike(first_alike(signatures, finite, scopes), signatures, finite)


def gpu_product(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    projection: SeparableProjection,
    grid: WindowGrid,
    scopes: int,
    capacity: int | None = None,
) -> tuple[Tensor, Alike, Computed]:
    """Dot products of every window with every filter, those of alike windows computed once.

    Args:
        images: (N, C, H, W); no copy is made of what is contiguous as channels_last.
        weight: (filters, C, kernel height, kernel width), of the images' dtype.
        bias: (filters,) or None.
        projection: what signatures are made of.
        grid: where the windows lie.
        scopes: N to compare windows within their image, 1 for the whole batch.
        capacity: groups that share a result, at most; windows of later groups are computed one by one.
            None for no limit. The backward pass keeps capacity x filters float32 sums.

    Returns:
        (N, filters, rows, columns), contiguous as channels_last, with exact gradients for images, weight
        and bias; which windows were alike; and which were computed.

    Raises:
        ValueError: shapes, dtypes or devices that do not fit, no window at all, or a capacity under 1.
    """
    check_operands(images, weight, projection, grid, capacity)
    images = images.contiguous(memory_format=torch.channels_last)
    alike = alike_windows(_pixels(images.detach()), projection, grid, scopes)
    computed = compact(alike.representatives, grid.windows if capacity is None else capacity)
    product: Tensor = GpuProduct.apply(images, weight, bias, computed, grid)  # type: ignore[no-untyped-call]
    return product, alike, computed


class GpuProduct(Function):
    """The product of the computed windows, handed out to the others, with exact gradients."""

    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None, computed: Computed, grid: WindowGrid
    ) -> Tensor:
        """(N, C, H, W) and (M, C, kernel height, kernel width) to (N, M, H', W'), channels_last."""
        ctx.save_for_backward(images, weight, bias)
        ctx.computed, ctx.grid = computed, grid
        return windows_product(_pixels(images), _pixels(weight).flatten(1, 2), bias, computed, grid)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Adjoint: add gradients up over each group, then two products of the computed windows."""
        images, weight, bias = ctx.saved_tensors
        computed, grid = ctx.computed, ctx.grid
        needs_images, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        rows = _pixels(gradient).flatten(0, 2)
        d_images = d_weight = None
        if needs_images or needs_weight:
            sums = group_sums(rows, computed)
        if needs_images:
            found = input_gradient(rows, sums, _pixels(weight).flatten(1, 2), computed, grid)
            d_images = found.to(images.dtype).permute(0, 3, 1, 2)
        if needs_weight:
            found = weight_gradient(_pixels(images), rows, sums, computed, grid)
            shape = (len(weight), *grid.kernel, -1)
            d_weight = found.to(weight.dtype).view(shape).permute(0, 3, 1, 2)
        d_bias = rows.sum(0, dtype=torch.float32).to(bias.dtype) if needs_bias else None
        return d_images, d_weight, d_bias, None, None


def _pixels(images: Tensor) -> Tensor:
    """(N, C, H, W) as (N, H, W, C), contiguous."""
    return images.permute(0, 2, 3, 1).contiguous()
