"""A 3x3 convolution to few channels and the 1x1 behind it in one kernel: thin outputs stay in registers.

An experiment that waits for its first GPU: where it is faster than cuDNN's two, directions will take it.
"""

from typing import Any

import torch
import torch.nn.functional as F
import triton
import triton.language as tl
from torch import Tensor

from mercuric.reuse.alike.kernels.gpu.launch import blocks, kernel, multiply, precision
from mercuric.reuse.directions.product import Placement, adjoint


def fused(images: Tensor, thin: Tensor, back: Tensor) -> Tensor:
    """``conv2d(conv2d(images, thin, padding=1), back)``, with gradients.

    Args:
        images: (N, C, H, W), channels_last.
        thin: (R, C, 3, 3), channels_last; R is a power of 2, 16 or more.
        back: (M, R, 1, 1).

    Returns:
        (N, M, H, W), channels_last.

    Raises:
        ValueError: R is another number: it is a side of the products' tiles.
    """
    rank = len(thin)
    if rank < 16 or rank & (rank - 1):
        raise ValueError(f"thin had {rank} filters, but must have a power of 2 of them, at least 16")
    found: tuple[Tensor, Tensor] = _Fused.apply(images, thin, back)  # type: ignore[no-untyped-call]
    return found[0]


def reference(images: Tensor, thin: Tensor, back: Tensor) -> Tensor:
    """What :func:`fused` computes, by definition."""
    return F.conv2d(F.conv2d(images, thin, padding=1), back)


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, thin: Tensor, back: Tensor) -> tuple[Tensor, Tensor]:
        output, between = _launched(images, thin, back, any(ctx.needs_input_grad))
        ctx.save_for_backward(images, thin, back, between)
        ctx.mark_non_differentiable(between)
        return output, between

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        images, thin, back, between = ctx.saved_tensors
        d_between, d_back = adjoint(gradient, between, back, Placement(), True, True)
        return *adjoint(d_between, images, thin, Placement(padding=(1, 1)), True, True), d_back


def _launched(images: Tensor, thin: Tensor, back: Tensor, keeps: bool) -> tuple[Tensor, Tensor]:
    """The output, and what lies between the two products where a backward pass needs it."""
    batch, channels, height, width = images.shape
    rank, filters = len(thin), len(back)
    images = images.contiguous(memory_format=torch.channels_last)
    output = images.new_empty(batch, height, width, filters).permute(0, 3, 1, 2)
    between = images.new_empty(batch if keeps else 0, height, width, rank).permute(0, 3, 1, 2)
    tile = {
        "BLOCK_PIXELS": blocks(128, 16),
        "BLOCK_CHANNELS": blocks(64, 16),
        "BLOCK_FILTERS": blocks(64, 16),
    }
    pixels = batch * height * width
    _multiply_twice[(triton.cdiv(pixels, tile["BLOCK_PIXELS"]),)](
        images, thin.permute(0, 2, 3, 1).contiguous(), back.flatten(1).contiguous(), between, output,
        pixels, height, width, channels, filters,
        RANK=rank, KEEPS=keeps, PRECISION=precision(images.dtype), **tile, num_warps=8,
    )  # fmt: skip
    return output, between


@kernel
def _multiply_twice(
    images: tl.tensor, thin: tl.tensor, back: tl.tensor, between: tl.tensor, output: tl.tensor,
    pixels: tl.tensor, height: tl.tensor, width: tl.tensor, channels: tl.tensor, filters: tl.tensor,
    RANK: tl.constexpr, KEEPS: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_PIXELS: tl.constexpr, BLOCK_CHANNELS: tl.constexpr, BLOCK_FILTERS: tl.constexpr,
) -> None:  # fmt: skip
    pixel = tl.program_id(0) * BLOCK_PIXELS + tl.arange(0, BLOCK_PIXELS)
    row, column = pixel // width % height, pixel % width
    r = tl.arange(0, RANK)
    exists = pixel < pixels
    total = tl.zeros([BLOCK_PIXELS, RANK], dtype=tl.float32)
    for tap in range(9):
        down, across = tap // 3 - 1, tap % 3 - 1
        on_image = (row + down >= 0) & (row + down < height) & (column + across >= 0)
        inside = exists & on_image & (column + across < width)
        source = (pixel + down * width + across).to(tl.int64)
        for begin in range(0, channels, BLOCK_CHANNELS):
            c = begin + tl.arange(0, BLOCK_CHANNELS)
            at = source[:, None] * channels + c[None, :]
            values = tl.load(images + at, mask=inside[:, None] & (c < channels)[None, :], other=0.0)
            at = (r[None, :] * 9 + tap) * channels + c[:, None]
            total = multiply(
                values, tl.load(thin + at, mask=(c < channels)[:, None], other=0.0), total, PRECISION
            )
    rounded = total.to(output.dtype.element_ty)
    place = pixel.to(tl.int64)[:, None]
    if KEEPS:
        tl.store(between + place * RANK + r[None, :], rounded, mask=exists[:, None])
    for begin in range(0, filters, BLOCK_FILTERS):
        f = begin + tl.arange(0, BLOCK_FILTERS)
        matrix = tl.load(back + f[None, :] * RANK + r[:, None], mask=(f < filters)[None, :], other=0.0)
        product = multiply(
            rounded, matrix, tl.zeros([BLOCK_PIXELS, BLOCK_FILTERS], dtype=tl.float32), PRECISION
        )
        mask = exists[:, None] & (f < filters)[None, :]
        tl.store(output + place * filters + f[None, :], product.to(output.dtype.element_ty), mask=mask)
