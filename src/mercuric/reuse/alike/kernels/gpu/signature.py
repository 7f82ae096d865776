"""Which bits describe each window, given its pixels' projections?"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from mercuric.reuse.alike.kernels.gpu.launch import blocks, kernel
from mercuric.reuse.alike.kernels.gpu.placement import arguments, corner, pixel, pixels
from mercuric.similarity.rpq import WORD, pack
from mercuric.similarity.window_grid import WindowGrid


def reference_window_signatures(projected: Tensor, taps: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    """The definition of :func:`window_signatures`, in plain PyTorch."""
    at, inside = pixels(grid, projected.device)
    flat = projected.flatten(0, 2)[:, : taps.shape[1]].float()
    total = torch.zeros(grid.windows, taps.shape[1], device=projected.device)
    for tap in range(grid.taps):
        values = flat[at[:, tap].where(inside[:, tap], 0)]
        total += values.where(inside[:, tap, None], 0) * taps[tap]
    return pack(total < 0).view(grid.windows, -1), total.isfinite().all(-1)


def window_signatures(projected: Tensor, taps: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    """Signatures of windows: the signs of their pixels' projections, added up over taps in raster order.

    Equal to :func:`~mercuric.similarity.separable.reference_grid_signatures`, bit for bit, of float32
    projections: a tap's factor is 1 or -1, so that fused or not, multiplying and adding rounds once.

    Args:
        projected: (N, H, W, lanes), contiguous: every pixel times every column of the projection; lanes
            over n are not read.
        taps: float32, (T, n), contiguous: -1 or 1.
        grid: where the windows lie.

    Returns:
        int64, (Q, words): bit j is bit j mod 64 of word j // 64; and bool, (Q,): whether a window's
        sums are finite. One whose sums are not has no direction.
    """
    bits = taps.shape[1]
    words = triton.cdiv(bits, WORD)
    packed = projected.new_empty((grid.windows, words), dtype=torch.int64)
    finite = projected.new_empty((grid.windows,), dtype=torch.bool)
    block = blocks(32, 16)
    _sign[(triton.cdiv(grid.windows, block),)](
        projected, taps, packed, finite, grid.windows, projected.shape[-1], **arguments(grid),
        BITS=bits, WORDS=words, BLOCK_BITS=min(WORD, triton.next_power_of_2(bits)), BLOCK=block,
    )  # fmt: skip
    return packed, finite


@kernel
def _sign(
    projected: tl.tensor, taps: tl.tensor, packed: tl.tensor, finite: tl.tensor, windows: tl.tensor,
    lanes: tl.tensor,
    height: tl.tensor, width: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    TAPS: tl.constexpr, KERNEL_WIDTH: tl.constexpr, TOP: tl.constexpr, LEFT: tl.constexpr,
    STRIDE_Y: tl.constexpr, STRIDE_X: tl.constexpr, DILATION_Y: tl.constexpr, DILATION_X: tl.constexpr,
    BITS: tl.constexpr, WORDS: tl.constexpr, BLOCK_BITS: tl.constexpr, BLOCK: tl.constexpr,
) -> None:  # fmt: skip
    window = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    exists = window < windows
    image, y, x = corner(window, height, rows, columns, TOP, LEFT, STRIDE_Y, STRIDE_X)
    good = tl.full([BLOCK], 1, dtype=tl.int32)
    for word in tl.static_range(WORDS):
        place = tl.arange(0, BLOCK_BITS)
        bit = word * 64 + place
        total = tl.zeros([BLOCK, BLOCK_BITS], dtype=tl.float32)
        for tap in range(TAPS):
            at, inside = pixel(image, y, x, tap, height, width, KERNEL_WIDTH, DILATION_Y, DILATION_X)
            wanted = (exists & inside)[:, None] & (bit < BITS)[None, :]
            values = tl.load(projected + at[:, None] * lanes + bit[None, :], mask=wanted, other=0.0)
            sign = tl.load(taps + tap * BITS + bit, mask=bit < BITS, other=0.0)
            total += values.to(tl.float32) * sign[None, :]
        negative = (total < 0).to(tl.int64) << place.to(tl.int64)[None, :]
        tl.store(packed + window.to(tl.int64) * WORDS + word, tl.sum(negative, axis=1), mask=exists)
        # Neither infinity nor NaN is below the largest finite number.
        good = tl.minimum(good, tl.min((tl.abs(total) <= 3.4028234e38).to(tl.int32), axis=1))
    tl.store(finite + window, good > 0, mask=exists)
