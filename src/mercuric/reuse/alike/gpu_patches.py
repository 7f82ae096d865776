"""How does a layer on a GPU reuse the results of whole patches?

As :mod:`mercuric.reuse.alike.patches` does on a CPU, in Triton and without waiting for the device, unless
somebody counts, observes or measures: those read numbers. Projections are rounded to the images' dtype,
so near 0 a bit may differ from the CPU's. A window whose projections are infinite or NaN is computed by
itself, so that what overflowed stays visible.
"""

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from mercuric.reuse.alike.detection import Detection, patch_detection
from mercuric.reuse.alike.kernels.gpu.device import require_triton
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.reuse.transforms import see
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.separable import SeparableProjection, separable_projection
from mercuric.similarity.window_grid import WindowGrid


def reuse_patches_on_gpu(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    grid: WindowGrid,
    shape: VectorShape,
    state: AlikeLayer,
    dense: Callable[[], Tensor],
    capacity: int | None = None,
) -> Tensor:
    """Find alike windows, multiply them once, and tell the layer's state of it.

    Args:
        images: (N, C, H, W), any layout; read as channels_last.
        weight: (M, C, kernel rows, kernel columns), of the images' dtype.
        bias: (M,) or None.
        grid: where the windows lie.
        shape: how they split into scopes.
        state: the layer's.
        dense: computes the same densely, where the error is measured.
        capacity: groups that share a result, at most; None for no limit.

    Returns:
        (N, M, H', W'), channels_last.

    Raises:
        MercuricError: Triton is not installed.
        ValueError: a dtype other than float32, bfloat16 and float16, or a capacity under 1.
    """
    require_triton(images.device)
    from mercuric.reuse.alike.kernels.gpu.convolution import gpu_product

    projection = see(
        state.name,
        lambda plain: _projection(plain.shape[1], grid.taps, state.bits, state.config.seed, plain.device),
        images,
    )
    output, alike, computed = gpu_product(
        images, weight, bias, projection, grid, shape.scopes, capacity, state.name
    )

    plain = see(state.name, lambda numbers: numbers, images)

    def detection() -> Detection:
        zero, unstored = _zero_windows(plain, grid), computed.rows >= computed.shared
        return patch_detection(computed.source.long(), alike.signatures, zero, shape, alike.finite, unstored)

    state.conclude(output, dense, shape, detection, images.requires_grad)
    return output


@lru_cache(maxsize=256)
def _projection(channels: int, taps: int, bits: int, seed: int, device: torch.device) -> SeparableProjection:
    drawn = separable_projection(channels, taps, bits, seed)
    return SeparableProjection(drawn.channels.to(device), drawn.taps.to(device))


def _zero_windows(images: Tensor, grid: WindowGrid) -> Tensor:
    """Which windows are all zeros, bool, (Q,)."""
    from mercuric.reuse.alike.kernels.gpu.signature import window_signatures

    # A window's bit is set where the sum of its pixels' -1s is negative.
    holds_something = -(images != 0).any(1).to(torch.float32)[..., None].contiguous()
    ones = torch.ones(grid.taps, 1, device=images.device)
    return window_signatures(holds_something, ones, grid)[0][:, 0] == 0
