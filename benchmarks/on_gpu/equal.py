"""Equal vectors: how much faster is a 3x3 convolution of each class of windows once?"""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.equal.kernels import Window, class_convolution, expand, image_classes, window_classes
from on_gpu.timing import DENSE, Forward, Settings, compared

SHARES = (0.5, 0.75, 0.9)
AROUND = Window((3, 3), padding=(1, 1, 1, 1))


def rows(settings: Settings) -> list[dict[str, Any]]:
    """Two rows a shape and share of pixels in a blank area: a layer by itself, and one of a chain.

    By itself it finds classes of pixels and windows, and writes a dense map. In a chain the layer before it
    gave classes of pixels, and the next one reads classes. Sizes depend on the data, so that no CUDA graph
    holds them; dense layers run without one as well.
    """
    shapes = [(2, 8, 8)] if settings.quick else [(16, 64, 224), (16, 128, 112), (16, 256, 56)]
    shares = SHARES[1:2] if settings.quick else SHARES
    return [row for shape in shapes for share in shares for row in _layer(settings, *shape, share)]


def _layer(settings: Settings, batch: int, channels: int, side: int, share: float) -> list[dict[str, Any]]:
    images = _with_blank_rows(settings, batch, channels, side, share)
    weight = settings.filters(channels, channels, 3)
    pixels, positions = _pixels(images)
    distinct = positions.detach().requires_grad_()

    def alone() -> Tensor:
        ids, own = _pixels(images)
        windows, products = _convolved(ids, own, weight)
        return expand(products, windows).permute(0, 3, 1, 2)

    forms: dict[str, tuple[Forward, Sequence[Tensor]]] = {
        DENSE: (lambda: F.conv2d(images, weight, padding=1), (images, weight)),
        f"{share:.0%} blank, by itself": (alone, (images, weight)),
        f"{share:.0%} blank, in a chain": (
            lambda: _convolved(pixels, distinct, weight)[1],
            (distinct, weight),
        ),
    }
    case = f"{batch} x {channels} x {side} x {side}"
    return compared("equal vectors", case, forms, settings, as_graph=False)


def _pixels(images: Tensor) -> tuple[Tensor, Tensor]:
    """Each pixel's class, and each class's channels."""
    found = image_classes(images.detach())
    assert found is not None  # noqa: S101 - nothing was to be given up
    return found.ids, images.permute(0, 2, 3, 1).flatten(0, 2)[found.first]


def _convolved(pixels: Tensor, distinct: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Each window's class, and each class's product."""
    windows = window_classes(pixels, AROUND)
    assert windows is not None  # noqa: S101 - nothing was to be given up
    return windows.ids, class_convolution(distinct, weight, None, windows.members)


def _with_blank_rows(settings: Settings, batch: int, channels: int, side: int, share: float) -> Tensor:
    images = settings.drawn(batch, channels, side, side).detach()
    images[:, :, : round(side * share)] = 0
    return images.requires_grad_()
