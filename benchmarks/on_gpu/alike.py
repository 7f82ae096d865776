"""Alike patches (MERCURY): how much faster is a 3x3 convolution that computes them once?"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.similarity.separable import SeparableProjection, separable_projection
from mercuric.similarity.window_grid import WindowGrid
from on_gpu.timing import DENSE, Forward, Settings, compared

BITS = 40
PLANTED = (0.0, 0.5, 0.75, 0.9)


def rows(settings: Settings) -> list[dict[str, Any]]:
    """A row a shape and share of planted duplicates, which are whole images."""
    batch = 4 if settings.quick else 64
    shapes = (
        [(8, 4)] if settings.quick else [(channels, side) for channels in (256, 512) for side in (28, 56)]
    )
    found = []
    for channels, side in shapes:
        weight = settings.filters(channels, channels, 3)
        for planted in PLANTED[2:3] if settings.quick else PLANTED:
            images = _planted(settings, batch, channels, side, planted)
            reused, share = _with_reuse(images, weight)

            def dense(images: Tensor = images, weight: Tensor = weight) -> Tensor:
                return F.conv2d(images, weight, padding=1)

            case = f"{batch} x {channels} x {side} x {side}"
            inputs = (images, weight)
            forms = {DENSE: (dense, inputs), f"{share:.0%} of the windows alike": (reused, inputs)}
            found += compared("alike patches", case, forms, settings)
    return found


def _planted(settings: Settings, batch: int, channels: int, side: int, duplicates: float) -> Tensor:
    distinct = round(batch * (1 - duplicates))
    drawn = settings.drawn(distinct, channels, side, side).detach()
    images = drawn[torch.arange(batch, device=settings.device) % distinct]
    return images.contiguous(memory_format=torch.channels_last).requires_grad_()


def _with_reuse(images: Tensor, weight: Tensor) -> tuple[Forward, float]:
    """The convolution with reuse over the batch, and the share of windows that reuse a result."""
    from mercuric.reuse.alike.kernels.gpu.convolution import gpu_product

    batch, channels, height, width = images.shape
    grid = WindowGrid(height, width, (3, 3), (1, 1), (1, 1), 1, 1, (batch, height, width))
    drawn = separable_projection(channels, grid.taps, BITS)
    projection = SeparableProjection(drawn.channels.to(images.device), drawn.taps.to(images.device))
    _, _, computed = gpu_product(images, weight, None, projection, grid, 1)
    share = 1 - int(computed.count) / grid.windows
    return lambda: gpu_product(images, weight, None, projection, grid, 1)[0], share
