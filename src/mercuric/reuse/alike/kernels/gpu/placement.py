"""Where do the windows of images (N, H, W, C) lie?"""

import torch
import triton.language as tl
from torch import Tensor

from mercuric.reuse.alike.kernels.gpu.launch import kernel
from mercuric.similarity.window_grid import WindowGrid


def pixels(grid: WindowGrid, device: torch.device) -> tuple[Tensor, Tensor]:
    """The definition: each window's pixel at each tap, and whether it lies in the image; (windows, taps)."""
    _, rows, columns = grid.output
    window = torch.arange(grid.windows, device=device)[:, None]
    tap = torch.arange(grid.taps, device=device)
    y = window // columns % rows * grid.stride[0] - grid.top + tap // grid.kernel[1] * grid.dilation[0]
    x = window % columns * grid.stride[1] - grid.left + tap % grid.kernel[1] * grid.dilation[1]
    inside = (y >= 0) & (y < grid.height) & (x >= 0) & (x < grid.width)
    return (window // (rows * columns) * grid.height + y) * grid.width + x, inside


def arguments(grid: WindowGrid) -> dict[str, int]:
    """What the kernels take of a grid: sizes as they are, what a layer fixes as constants."""
    _, rows, columns = grid.output
    return {
        "height": grid.height, "width": grid.width, "rows": rows, "columns": columns,
        "TAPS": grid.taps, "KERNEL_WIDTH": grid.kernel[1], "TOP": grid.top, "LEFT": grid.left,
        "STRIDE_Y": grid.stride[0], "STRIDE_X": grid.stride[1],
        "DILATION_Y": grid.dilation[0], "DILATION_X": grid.dilation[1],
    }  # fmt: skip


@kernel
def corner(
    window: tl.tensor, height: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    TOP: tl.constexpr, LEFT: tl.constexpr, STRIDE_Y: tl.constexpr, STRIDE_X: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    """First row of a window's image among all images' rows, and the window's first row and column."""
    y = window // columns % rows * STRIDE_Y - TOP
    x = window % columns * STRIDE_X - LEFT
    return window // (rows * columns) * height, y, x


@kernel
def pixel(
    image: tl.tensor, y: tl.tensor, x: tl.tensor, tap: tl.tensor, height: tl.tensor, width: tl.tensor,
    KERNEL_WIDTH: tl.constexpr, DILATION_Y: tl.constexpr, DILATION_X: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    """A window's pixel at ``tap``, and whether it lies in the image."""
    row = y + tap // KERNEL_WIDTH * DILATION_Y
    column = x + tap % KERNEL_WIDTH * DILATION_X
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    return (image + row).to(tl.int64) * width + column, inside
