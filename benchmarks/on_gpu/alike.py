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
    if settings.quick:
        return _layer(settings, 4, 8, 4, 0.75)
    shapes = [(channels, side) for channels in (256, 512) for side in (28, 56)]
    return [row for shape in shapes for planted in PLANTED for row in _layer(settings, 64, *shape, planted)]


def _layer(settings: Settings, batch: int, channels: int, side: int, planted: float) -> list[dict[str, Any]]:
    images = _planted(settings, batch, channels, side, planted)
    weight = settings.filters(channels, channels, 3)
    reused, share = _with_reuse(images, weight)
    forms = {
        DENSE: (lambda: F.conv2d(images, weight, padding=1), (images, weight)),
        f"{share:.0%} of the windows alike": (reused, (images, weight)),
    }
    return compared("alike patches", f"{batch} x {channels} x {side} x {side}", forms, settings)


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
