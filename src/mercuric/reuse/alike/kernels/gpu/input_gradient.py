"""What is the gradient of the images? Each group's, times the filters, added where its window lies."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from mercuric.reuse.alike.kernels.gpu.compaction import Computed
from mercuric.reuse.alike.kernels.gpu.gradient_sum import load_gradient
from mercuric.reuse.alike.kernels.gpu.launch import multiply, precision, product_kernel
from mercuric.reuse.alike.kernels.gpu.placement import arguments, corner, pixel, pixels
from mercuric.similarity.window_grid import WindowGrid


def reference_input_gradient(gradient: Tensor, weight: Tensor, source: Tensor, grid: WindowGrid) -> Tensor:
    """The definition of :func:`input_gradient`, in plain PyTorch: deterministic where PyTorch has to be.

    Returns:
        float32, (N, H, W, C).
    """
    at, inside = pixels(grid, weight.device)
    count = grid.output[0] * grid.height * grid.width
    sums = torch.zeros_like(gradient, dtype=torch.float32).index_add_(0, source, gradient.float())
    images = sums.new_zeros(count + 1, weight.shape[2])  # The last pixel is what lies outside.
    for tap in range(grid.taps):
        images.index_add_(0, at[:, tap].where(inside[:, tap], count), sums @ weight[:, tap].float())
    return images[:-1].view(-1, grid.height, grid.width, weight.shape[2])


def input_gradient(
    gradient: Tensor, sums: Tensor, weight: Tensor, computed: Computed, grid: WindowGrid
) -> Tensor:
    """Gradient of the images; only computed windows contribute.

    Windows overlap, so their parts are added by float32 atomics, in no fixed order. Where
    ``torch.use_deterministic_algorithms`` asks for one, the definition is taken: dense, so that reuse
    shortens the other two products alone.

    Args:
        gradient: (windows, filters), contiguous.
        sums: what :func:`~mercuric.reuse.alike.kernels.gpu.gradient_sum.group_sums` returned.
        weight: (filters, taps, C), contiguous, of the gradient's dtype.
        computed: which windows were computed.
        grid: where the windows lie.

    Returns:
        float32, (N, H, W, C).
    """
    if torch.are_deterministic_algorithms_enabled():
        return reference_input_gradient(gradient, weight, computed.source, grid)
    filters, _, channels = weight.shape
    shape = (grid.output[0], grid.height, grid.width, channels)
    images = gradient.new_zeros(shape, dtype=torch.float32)

    def programs(meta: dict[str, int]) -> tuple[int]:
        outer = triton.cdiv(grid.windows, meta["BLOCK_ROWS"])
        return (outer * grid.taps * triton.cdiv(channels, meta["BLOCK_CHANNELS"]),)

    _multiply[programs](
        gradient, sums, weight, computed.windows, computed.count, computed.shared, images,
        channels, filters, **arguments(grid), PRECISION=precision(weight.dtype),
    )  # fmt: skip
    return images


@product_kernel("BLOCK_ROWS", "BLOCK_CHANNELS", "BLOCK_FILTERS", adds_to=("images",))
def _multiply(
    gradient: tl.tensor, sums: tl.tensor, weight: tl.tensor, windows: tl.tensor, count: tl.tensor,
    shared: tl.tensor, images: tl.tensor,
    channels: tl.tensor, filters: tl.tensor, height: tl.tensor, width: tl.tensor, rows: tl.tensor,
    columns: tl.tensor,
    TAPS: tl.constexpr, KERNEL_WIDTH: tl.constexpr, TOP: tl.constexpr, LEFT: tl.constexpr,
    STRIDE_Y: tl.constexpr, STRIDE_X: tl.constexpr, DILATION_Y: tl.constexpr, DILATION_X: tl.constexpr,
    PRECISION: tl.constexpr,
    BLOCK_ROWS: tl.constexpr, BLOCK_CHANNELS: tl.constexpr, BLOCK_FILTERS: tl.constexpr,
) -> None:  # fmt: skip
    steps = tl.cdiv(channels, BLOCK_CHANNELS)
    tile = tl.program_id(0)
    channel = tile % steps * BLOCK_CHANNELS + tl.arange(0, BLOCK_CHANNELS)
    tap = tile // steps % TAPS
    first = tile // steps // TAPS * BLOCK_ROWS
    used, grouped = tl.load(count), tl.load(shared)
    if first >= used:
        return
    row = first + tl.arange(0, BLOCK_ROWS)
    window = tl.load(windows + row, mask=row < used, other=0)
    total = tl.zeros([BLOCK_ROWS, BLOCK_CHANNELS], dtype=tl.float32)
    for begin in range(0, filters, BLOCK_FILTERS):
        f = begin + tl.arange(0, BLOCK_FILTERS)
        gradients = load_gradient(sums, gradient, row, window, f, grouped, used, filters)
        wanted = (f < filters)[:, None] & (channel < channels)[None, :]
        parts = tl.load(
            weight + (f[:, None] * TAPS + tap) * channels + channel[None, :], mask=wanted, other=0.0
        )
        total = multiply(gradients, parts, total, PRECISION)
    image, y, x = corner(window, height, rows, columns, TOP, LEFT, STRIDE_Y, STRIDE_X)
    at, inside = pixel(image, y, x, tap, height, width, KERNEL_WIDTH, DILATION_Y, DILATION_X)
    wanted = (inside & (row < used))[:, None] & (channel < channels)[None, :]
    tl.atomic_add(images + at[:, None] * channels + channel[None, :], total, mask=wanted, sem="relaxed")
