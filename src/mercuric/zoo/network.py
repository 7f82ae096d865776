"""What does the zoo know of a network?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from mercuric.errors import ArgumentError

Form = Literal["cifar", "imagenet"]
Builder = Callable[[int, int], nn.Module]

LARGEST_CIFAR_IMAGE = 64


@dataclass(frozen=True)
class Network:
    """One entry of the zoo.

    Attributes:
        cifar: builds the form for small images from (classes, channels).
        imagenet: builds the form for large images from (classes, channels).
        smallest_image: the smallest side in pixels that the small form accepts.
        smallest_large_image: the smallest side in pixels that the large form accepts.
    """

    cifar: Builder
    imagenet: Builder
    smallest_image: int
    smallest_large_image: int = LARGEST_CIFAR_IMAGE + 1

    def smallest(self, image_size: int) -> int:
        """The smallest side in pixels that the form for ``image_size`` accepts."""
        return self.smallest_image if form(image_size) == "cifar" else self.smallest_large_image


def form(image_size: int) -> Form:
    """Which form ``mercuric.zoo.build`` builds for square images of ``image_size`` pixels a side.

    Raises:
        ValueError: the size is not positive.
    """
    if image_size < 1:
        raise ArgumentError(f"image_size was {image_size}, but it must be a positive number of pixels")
    return "cifar" if image_size <= LARGEST_CIFAR_IMAGE else "imagenet"
