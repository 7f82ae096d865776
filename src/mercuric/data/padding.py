"""How does a small image reach a larger size?"""

from torch import Tensor
from torch.nn import functional as F

from mercuric.errors import ArgumentError

LARGEST = 64


def check_padding(side: int, image_size: int) -> None:
    """Refuse a size that images of ``side`` pixels are not padded to.

    Raises:
        ValueError: ``image_size`` is below ``side`` or above 64.
    """
    if not side <= image_size <= LARGEST:
        raise ArgumentError(
            f"image_size was {image_size}, but {side}x{side} images are padded with zeros, "
            f"so it must be from {side} to {LARGEST}"
        )


def padded(images: Tensor, image_size: int) -> Tensor:
    """(N, C, S, S) images with zeros around them, (N, C, image_size, image_size).

    Where the difference is odd, the extra row and column lie at the bottom right.

    Raises:
        ValueError: see ``check_padding``.
    """
    side = images.shape[-1]
    check_padding(side, image_size)
    before = (image_size - side) // 2
    after = image_size - side - before
    return F.pad(images, (before, after, before, after))
