"""How does a GPU compute alike windows once, with exact gradients?

Nothing is read by the host and no shape depends on the data, so that after a first step, which tunes the
tiles, a step can be captured in a CUDA graph. Speed is unmeasured; the kernels are tested under Triton's
interpreter.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.alike.kernels.differentiable import Assignment, Gradients, Needed, differentiable_product
from mercuric.reuse.alike.kernels.gpu.compaction import Computed, compact
from mercuric.reuse.alike.kernels.gpu.gradient_sum import group_sums
from mercuric.reuse.alike.kernels.gpu.input_gradient import input_gradient
from mercuric.reuse.alike.kernels.gpu.operands import check_operands
from mercuric.reuse.alike.kernels.gpu.product import windows_product
from mercuric.reuse.alike.kernels.gpu.signature import window_signatures
from mercuric.reuse.alike.kernels.gpu.table import first_alike
from mercuric.reuse.alike.kernels.gpu.weight_gradient import weight_gradient
from mercuric.reuse.transforms import see
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
    name: str = "",
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
        name: of the layer, for its errors.

    Returns:
        (N, filters, rows, columns), contiguous as channels_last, with exact gradients for images, weight
        and bias; which windows were alike; and which were computed.

    Raises:
        ValueError: shapes, dtypes or devices that do not fit, no window at all, or a capacity under 1.
    """
    check_operands(images, weight, projection, grid, capacity)
    images = images.contiguous(memory_format=torch.channels_last)

    def compare(images: Tensor, *_: Tensor) -> tuple[Alike, Computed]:
        alike = alike_windows(_pixels(images), projection, grid, scopes)
        return alike, compact(alike.representatives, grid.windows if capacity is None else capacity)

    alike, computed = see(name, compare, images, weight, bias)
    assignment = (computed.source, computed.windows, computed.rows, computed.count, computed.shared)
    product = differentiable_product(GpuProduct(grid, computed.capacity), images, weight, bias, *assignment)
    return product, alike, computed


@dataclass(frozen=True)
class GpuProduct:
    """The product of the computed windows, handed out to the others, with its gradients.

    Attributes:
        grid: where the windows lie.
        capacity: of what was computed.
    """

    grid: WindowGrid
    capacity: int

    def product(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, assignment: Assignment) -> Tensor:
        """(N, C, H, W) and (M, C, kernel height, kernel width) to (N, M, H', W'), channels_last."""
        computed = self._computed(*assignment)
        return windows_product(_pixels(inputs), _pixels(weight).flatten(1, 2), bias, computed, self.grid)

    def gradients(
        self, gradient: Tensor, inputs: Tensor, weight: Tensor, needed: Needed, assignment: Assignment
    ) -> Gradients:
        """Adjoint: add gradients up over each group, then two products of the computed windows."""
        computed = self._computed(*assignment)
        rows = _pixels(gradient).flatten(0, 2)
        d_inputs = d_weight = None
        if needed[0] or needed[1]:
            sums = group_sums(rows, computed)
        if needed[0]:
            found = input_gradient(rows, sums, _pixels(weight).flatten(1, 2), computed, self.grid)
            d_inputs = found.to(inputs.dtype).permute(0, 3, 1, 2)
        if needed[1]:
            found = weight_gradient(_pixels(inputs), rows, sums, computed, self.grid)
            shape = (len(weight), *self.grid.kernel, -1)
            d_weight = found.to(weight.dtype).view(shape).permute(0, 3, 1, 2)
        d_bias = rows.sum(0, dtype=torch.float32).to(weight.dtype) if needed[2] else None
        return d_inputs, d_weight, d_bias

    def _computed(
        self, source: Tensor, windows: Tensor, rows: Tensor, count: Tensor, shared: Tensor
    ) -> Computed:
        return Computed(source, windows, rows, count, shared, self.capacity)


def _pixels(images: Tensor) -> Tensor:
    """(N, C, H, W) as (N, H, W, C), contiguous."""
    return images.permute(0, 2, 3, 1).contiguous()
