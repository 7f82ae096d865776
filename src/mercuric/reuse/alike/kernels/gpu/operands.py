"""Do these operands fit each other and the kernels?"""

import torch
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.similarity.separable import SeparableProjection
from mercuric.similarity.window_grid import WindowGrid

DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def check_operands(
    images: Tensor, weight: Tensor, projection: SeparableProjection, grid: WindowGrid, capacity: int | None
) -> None:
    """Return if the kernels compute the right product of these operands.

    Raises:
        ValueError: if they would not.
    """
    if images.dtype not in DTYPES:
        raise ArgumentError(f"images were {images.dtype}, but GPU kernels take float32, bfloat16 or float16")
    if (weight.dtype, weight.device) != (images.dtype, images.device):
        raise ArgumentError(
            f"weight was {weight.dtype} on {weight.device}, but must be {images.dtype} on {images.device} "
            "as the images are"
        )
    batch, height, width = grid.output[0], grid.height, grid.width
    fits = images.dim() == 4 and (len(images), *images.shape[2:]) == (batch, height, width)
    if not fits or not images.numel() or not grid.windows:
        raise ArgumentError(
            f"images were {tuple(images.shape)}, but must be ({batch}, channels, {height}, {width}) as the "
            "grid says, and hold a window"
        )
    channels = images.shape[1]
    filters = (channels, *grid.kernel)
    if tuple(weight.shape[1:]) != filters or not len(weight):
        raise ArgumentError(
            f"weight was {tuple(weight.shape)}, but must be filters of {filters}: the kernels know no groups"
        )
    if len(projection.channels) != channels or len(projection.taps) != grid.taps:
        raise ArgumentError(
            f"projection was of {len(projection.channels)} channels and {len(projection.taps)} taps, but the "
            f"windows have {channels} and {grid.taps}"
        )
    if capacity is not None and capacity < 1:
        raise ArgumentError(f"capacity was {capacity}, but must be at least 1 group of alike windows")
