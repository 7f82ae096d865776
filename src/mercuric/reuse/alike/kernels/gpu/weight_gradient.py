"""What is the gradient of the filters? Each computed window times the gradient of its group."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from mercuric.reuse.alike.kernels.gpu.compaction import Computed
from mercuric.reuse.alike.kernels.gpu.gradient_sum import load_gradient
from mercuric.reuse.alike.kernels.gpu.launch import multiply, precision, product_kernel
from mercuric.reuse.alike.kernels.gpu.placement import arguments, corner, pixel
from mercuric.reuse.alike.kernels.gpu.product import gathered
from mercuric.similarity.window_grid import WindowGrid

ENOUGH_PROGRAMS = 264
"""Two for each multiprocessor of an H100: rows are split until there are as many."""
MOST_SPLITS = 16


def reference_weight_gradient(images: Tensor, gradient: Tensor, source: Tensor, grid: WindowGrid) -> Tensor:
    """The definition of :func:`weight_gradient`: (filters, taps, C), in float32."""
    replaced = gathered(images, grid)[source.long()].float()
    return torch.einsum("qm,qtc->mtc", gradient.float(), replaced)


def weight_gradient(
    images: Tensor, gradient: Tensor, sums: Tensor, computed: Computed, grid: WindowGrid
) -> Tensor:
    """Gradient of the filters, summed over the computed windows alone.

    Rows are split over programs; each split's sum is written down and PyTorch adds the splits up, so that
    the order of additions is fixed, at the price of reading a few copies of the filters.

    Args:
        images: (N, H, W, C), contiguous.
        gradient: (windows, filters), contiguous, of the images' dtype.
        sums: what :func:`~mercuric.reuse.alike.kernels.gpu.gradient_sum.group_sums` returned.
        computed: which windows were computed.
        grid: where the windows lie.

    Returns:
        float32, (filters, taps, C).
    """
    filters, channels = gradient.shape[1], images.shape[-1]
    tiles = triton.cdiv(filters, 128) * triton.cdiv(channels, 128) * grid.taps
    splits = max(1, min(MOST_SPLITS, ENOUGH_PROGRAMS // tiles, grid.windows // 64))
    parts = images.new_empty((splits, filters, grid.taps, channels), dtype=torch.float32)

    def programs(meta: dict[str, int]) -> tuple[int, int]:
        outer = triton.cdiv(filters, meta["BLOCK_FILTERS"])
        return outer * grid.taps * triton.cdiv(channels, meta["BLOCK_CHANNELS"]), splits

    _multiply[programs](
        images, gradient, sums, computed.windows, computed.count, computed.shared, parts,
        channels, filters, **arguments(grid), PRECISION=precision(images.dtype),
    )  # fmt: skip
    return parts.sum(0)


@product_kernel("BLOCK_FILTERS", "BLOCK_CHANNELS", "BLOCK_ROWS")
def _multiply(
    images: tl.tensor, gradient: tl.tensor, sums: tl.tensor, windows: tl.tensor, count: tl.tensor,
    shared: tl.tensor, parts: tl.tensor,
    channels: tl.tensor, filters: tl.tensor, height: tl.tensor, width: tl.tensor, rows: tl.tensor,
    columns: tl.tensor,
    TAPS: tl.constexpr, KERNEL_WIDTH: tl.constexpr, TOP: tl.constexpr, LEFT: tl.constexpr,
    STRIDE_Y: tl.constexpr, STRIDE_X: tl.constexpr, DILATION_Y: tl.constexpr, DILATION_X: tl.constexpr,
    PRECISION: tl.constexpr,
    BLOCK_FILTERS: tl.constexpr, BLOCK_CHANNELS: tl.constexpr, BLOCK_ROWS: tl.constexpr,
) -> None:  # fmt: skip
    steps = tl.cdiv(channels, BLOCK_CHANNELS)
    tile = tl.program_id(0)
    channel = tile % steps * BLOCK_CHANNELS + tl.arange(0, BLOCK_CHANNELS)
    tap = tile // steps % TAPS
    f = tile // steps // TAPS * BLOCK_FILTERS + tl.arange(0, BLOCK_FILTERS)
    used, grouped = tl.load(count), tl.load(shared)
    total = tl.zeros([BLOCK_FILTERS, BLOCK_CHANNELS], dtype=tl.float32)
    for first in range(tl.program_id(1) * BLOCK_ROWS, used, tl.num_programs(1) * BLOCK_ROWS):
        row = first + tl.arange(0, BLOCK_ROWS)
        window = tl.load(windows + row, mask=row < used, other=0)
        image, y, x = corner(window, height, rows, columns, TOP, LEFT, STRIDE_Y, STRIDE_X)
        at, inside = pixel(image, y, x, tap, height, width, KERNEL_WIDTH, DILATION_Y, DILATION_X)
        wanted = (inside & (row < used))[:, None] & (channel < channels)[None, :]
        elements = tl.load(images + at[:, None] * channels + channel[None, :], mask=wanted, other=0.0)
        gradients = load_gradient(sums, gradient, row, window, f, grouped, used, filters)
        total = multiply(tl.trans(gradients), elements, total, PRECISION)
    wanted = (f < filters)[:, None] & (channel < channels)[None, :]
    at = ((tl.program_id(1) * filters + f[:, None]) * TAPS + tap) * channels + channel[None, :]
    tl.store(parts + at, total, mask=wanted)
