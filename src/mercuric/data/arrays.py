"""What does a network see of data that are arrays: of any shape, one or several an example?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mercuric.data.augmentation import augment
from mercuric.data.split import ImageData, Split

MOST_CHANNELS = 4
"""Of an image: three colours, and one value more."""


class ArraySplit(Protocol):
    """The training or the test examples of arrays."""

    def __len__(self) -> int:
        """How many examples there are."""
        ...

    @property
    def labels(self) -> Tensor:
        """(N,) int64: the class of each example; 0 where there are no classes."""
        ...

    def few(self, count: int) -> Tensor:
        """See ``Split.few``."""
        ...

    def batch(
        self, indices: Tensor, generator: torch.Generator | None = None
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """The examples at ``indices`` (B,): the inputs, each (B, ...), and labels (B,); nothing is drawn."""
        ...


@dataclass(frozen=True)
class ArrayData:
    """A data set of arrays that are no square images: what ``mercuric.data.load`` returns of such.

    Attributes:
        name: what ``load`` was asked for.
        classes: one name a label; empty where nobody says which class an example is of.
        shapes: of the inputs of an example, in the order in which a network reads them.
        train: what to train on.
        test: what to measure accuracy on.
    """

    name: str
    classes: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    train: ArraySplit
    test: ArraySplit


@dataclass(frozen=True)
class ImagesOfArrays:
    """Arrays of which each example is one square image; a :class:`~mercuric.data.split.Split`.

    Attributes:
        arrays: with one input, (C, H, H).
    """

    arrays: ArraySplit

    def __len__(self) -> int:
        return len(self.arrays)

    @property
    def labels(self) -> Tensor:
        """See ``Split.labels``."""
        return self.arrays.labels

    def few(self, count: int) -> Tensor:
        """See ``Split.few``."""
        return self.arrays.few(count)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """See ``Split.batch``; they are what a network reads as they are."""
        (images,), labels = self.arrays.batch(indices)
        return images if generator is None else augment(images, generator), labels

    def pixels(self, indices: Tensor) -> Tensor:
        """See ``Split.pixels``: from the smallest value of an image, black, to its largest, white."""
        images, _ = self.batch(indices)
        least, most = images.amin((1, 2, 3), keepdim=True), images.amax((1, 2, 3), keepdim=True)
        return ((images - least) / (most - least).clamp_min(1e-12) * 255).to(torch.uint8)

    def normalised(self, _: object) -> "ImagesOfArrays":
        """Themselves: nobody knows what pixels they were."""
        return self


def shown_shape(shape: Sequence[int | str]) -> str:
    """``(3, 32, 32)`` as ``"3x32x32"``."""
    return "x".join(map(str, shape)) or "()"


def are_images(shapes: Sequence[Sequence[int]]) -> bool:
    """Whether an example is one square image."""
    (first, *others) = shapes
    return not others and len(first) == 3 and first[0] <= MOST_CHANNELS and first[1] == first[2]


def as_data(
    name: str,
    classes: tuple[str, ...],
    shapes: tuple[tuple[int, ...], ...],
    train: ArraySplit,
    test: ArraySplit,
    floating: bool,
) -> ImageData | ArrayData:
    """Images, where each example is a square one of floating-point numbers; else arrays."""
    if not (floating and are_images(shapes)):
        return ArrayData(name, classes, shapes, train, test)
    images: tuple[Split, Split] = (ImagesOfArrays(train), ImagesOfArrays(test))
    return ImageData(name, classes, shapes[0][0], shapes[0][1], *images)
