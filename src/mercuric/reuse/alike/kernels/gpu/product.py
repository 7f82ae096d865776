"""What are the products of the computed windows with all filters?

Each program gathers its windows from the image while it multiplies: no window is written down. Results
go to their windows' own rows of the output and not to compact ones, because then a kept result is written
once, where it belongs, and only what is copied to alike windows is read again; one more buffer and pass
would be needed for compact rows. Handing out in the product itself would need each group's windows sorted,
and its programs would write as unevenly as groups are large.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from mercuric.reuse.alike.kernels.gpu.compaction import Computed
from mercuric.reuse.alike.kernels.gpu.launch import blocks, kernel, multiply, precision, product_kernel
from mercuric.reuse.alike.kernels.gpu.placement import arguments, corner, pixel, pixels
from mercuric.similarity.window_grid import WindowGrid


def reference_product(
    images: Tensor, weight: Tensor, bias: Tensor | None, source: Tensor, grid: WindowGrid
) -> Tensor:
    """The definition of :func:`windows_product`: every window replaced by its source; (Q, filters)."""
    replaced = gathered(images, grid)[source.long()]
    product = replaced.float().flatten(1) @ weight.float().flatten(1).T
    return (product if bias is None else product + bias.float()).to(images.dtype)


def gathered(images: Tensor, grid: WindowGrid) -> Tensor:
    """Every window of images (N, H, W, C), written down: (windows, taps, C)."""
    at, inside = pixels(grid, images.device)
    flat = images.reshape(-1, images.shape[-1])
    return flat[at.where(inside, 0)].where(inside[..., None], 0)


def windows_product(
    images: Tensor, weight: Tensor, bias: Tensor | None, computed: Computed, grid: WindowGrid
) -> Tensor:
    """Dot products of every window with every filter, those of alike windows computed once.

    Args:
        images: (N, H, W, C), contiguous.
        weight: (filters, taps, C), contiguous, of the images' dtype.
        bias: (filters,) or None.
        computed: which windows are computed.
        grid: where the windows lie.

    Returns:
        (N, filters, rows, columns), contiguous as channels_last, of the images' dtype, summed in float32.
    """
    filters, channels = len(weight), images.shape[-1]
    shape = (grid.output[0], filters, *grid.output[1:])
    # Its own memory and no view, so that an activation may change it in place.
    output = torch.empty(shape, dtype=images.dtype, device=images.device, memory_format=torch.channels_last)

    # As many programs as if nothing were alike: those beyond the last row end at once.
    def programs(meta: dict[str, int]) -> tuple[int]:
        rows = triton.cdiv(grid.windows, meta["BLOCK_ROWS"])
        return (rows * triton.cdiv(filters, meta["BLOCK_FILTERS"]),)

    _multiply[programs](
        images, weight, weight if bias is None else bias, computed.windows, computed.count, output,
        channels, filters, **arguments(grid), HAS_BIAS=bias is not None, PRECISION=precision(images.dtype),
    )  # fmt: skip
    block, side = blocks(32, 8), blocks(128, 16)
    _hand_out[(triton.cdiv(grid.windows, block), triton.cdiv(filters, side))](
        output, computed.source, grid.windows, filters, BLOCK=block, BLOCK_FILTERS=side
    )
    return output


@product_kernel("BLOCK_ROWS", "BLOCK_FILTERS", "BLOCK_CHANNELS")
def _multiply(
    images: tl.tensor, weight: tl.tensor, bias: tl.tensor, windows: tl.tensor, count: tl.tensor,
    output: tl.tensor, channels: tl.tensor, filters: tl.tensor,
    height: tl.tensor, width: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    TAPS: tl.constexpr, KERNEL_WIDTH: tl.constexpr, TOP: tl.constexpr, LEFT: tl.constexpr,
    STRIDE_Y: tl.constexpr, STRIDE_X: tl.constexpr, DILATION_Y: tl.constexpr, DILATION_X: tl.constexpr,
    HAS_BIAS: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_ROWS: tl.constexpr, BLOCK_FILTERS: tl.constexpr, BLOCK_CHANNELS: tl.constexpr,
) -> None:  # fmt: skip
    # Neighbouring programs take the same windows, which then lie in the L2 cache.
    tiles = tl.cdiv(filters, BLOCK_FILTERS)
    row = tl.program_id(0) // tiles * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    used = tl.load(count)
    if tl.program_id(0) // tiles * BLOCK_ROWS >= used:
        return
    window = tl.load(windows + row, mask=row < used, other=0)
    image, y, x = corner(window, height, rows, columns, TOP, LEFT, STRIDE_Y, STRIDE_X)
    f = tl.program_id(0) % tiles * BLOCK_FILTERS + tl.arange(0, BLOCK_FILTERS)
    total = tl.zeros([BLOCK_ROWS, BLOCK_FILTERS], dtype=tl.float32)
    steps = tl.cdiv(channels, BLOCK_CHANNELS)
    # One loop over taps and channels: the compiler overlaps loads and products of its rounds.
    for step in range(TAPS * steps):
        tap = step // steps
        channel = step % steps * BLOCK_CHANNELS + tl.arange(0, BLOCK_CHANNELS)
        at, inside = pixel(image, y, x, tap, height, width, KERNEL_WIDTH, DILATION_Y, DILATION_X)
        wanted = (inside & (row < used))[:, None] & (channel < channels)[None, :]
        elements = tl.load(images + at[:, None] * channels + channel[None, :], mask=wanted, other=0.0)
        wanted = (channel < channels)[:, None] & (f < filters)[None, :]
        parts = tl.load(
            weight + (f[None, :] * TAPS + tap) * channels + channel[:, None], mask=wanted, other=0.0
        )
        total = multiply(elements, parts, total, PRECISION)
    if HAS_BIAS:
        total += tl.load(bias + f, mask=f < filters, other=0.0).to(tl.float32)[None, :]
    wanted = (row < used)[:, None] & (f < filters)[None, :]
    at = window.to(tl.int64)[:, None] * filters + f[None, :]
    tl.store(output + at, total.to(output.dtype.element_ty), mask=wanted)


@kernel
def _hand_out(
    output: tl.tensor,
    source: tl.tensor,
    windows: tl.tensor,
    filters: tl.tensor,
    BLOCK: tl.constexpr,
    BLOCK_FILTERS: tl.constexpr,
) -> None:
    own = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    giver = tl.load(source + own, mask=own < windows, other=0)
    f = tl.program_id(1) * BLOCK_FILTERS + tl.arange(0, BLOCK_FILTERS)
    wanted = ((own < windows) & (giver != own))[:, None] & (f < filters)[None, :]
    values = tl.load(output + giver.to(tl.int64)[:, None] * filters + f[None, :], mask=wanted)
    tl.store(output + own.to(tl.int64)[:, None] * filters + f[None, :], values, mask=wanted)
