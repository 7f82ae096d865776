"""What does a training loop see of a data set?"""

from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch
from torch import Tensor

from mercuric.data.augmentation import augment
from mercuric.data.normalisation import Normalisation
from mercuric.errors import ArgumentError


class Split(Protocol):
    """The training or the test images of a data set."""

    def __len__(self) -> int:
        """How many images there are."""
        ...

    @property
    def labels(self) -> Tensor:
        """(N,) int64: the class of each image."""
        ...

    def few(self, count: int) -> Tensor:
        """(count,) int64: which images stand for all, of every class some where they are in its order.

        Raises:
            ValueError: ``count`` is not from 1 to ``len(self)``.
        """
        ...

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """The images at ``indices``, augmented where a generator is given.

        Args:
            indices: (B,) int64 on the CPU, each from 0 to ``len(self) - 1``.
            generator: where given, images are cropped and flipped at random, drawn from it alone.

        Returns:
            Normalised float32 images (B, C, H, W) and int64 labels (B,).

        Raises:
            ValueError: ``indices`` is no such tensor.
        """
        ...

    def pixels(self, indices: Tensor) -> Tensor:
        """The images at ``indices`` as a person sees them, (B, C, H, W) uint8; raises as ``batch`` does."""
        ...

    def normalised(self, normalisation: Normalisation) -> Self:
        """The same images, whose pixels become inputs by ``normalisation``."""
        ...


@dataclass(frozen=True)
class ImageData:
    """A data set: what ``mercuric.data.load`` returns.

    Attributes:
        name: what ``load`` was asked for.
        classes: one name a label, in label order.
        channels: 3 for colour, 1 for grey, 4 for the frames of a game's state, the newest last.
        image_size: side of the square images, in pixels.
        train: what to train on.
        test: what to measure accuracy on; shares no pixel with ``train``.
        skipped: how many unreadable files were left out.
    """

    name: str
    classes: tuple[str, ...]
    channels: int
    image_size: int
    train: Split
    test: Split
    skipped: int = 0

    def normalised(self, normalisation: Normalisation) -> Self:
        """The same images, whose pixels become inputs by ``normalisation``."""
        train, test = (part.normalised(normalisation) for part in (self.train, self.test))
        return replace(self, train=train, test=test)


@dataclass(frozen=True)
class InMemorySplit:
    """Images that fit in memory.

    Attributes:
        images: (N, C, H, W) uint8.
        labels: (N,) int64.
        normalisation: how pixels become inputs.
    """

    images: Tensor
    labels: Tensor
    normalisation: Normalisation

    def __len__(self) -> int:
        return len(self.images)

    def few(self, count: int) -> Tensor:
        """The first ones: see ``Split.few``."""
        check_count(count, len(self))
        return torch.arange(count)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """See ``Split.batch``."""
        return network_inputs(self.pixels(indices), self.normalisation, generator), self.labels[indices]

    def pixels(self, indices: Tensor) -> Tensor:
        """See ``Split.pixels``."""
        check_indices(indices, len(self))
        return self.images[indices]

    def normalised(self, normalisation: Normalisation) -> Self:
        """See ``Split.normalised``."""
        return replace(self, normalisation=normalisation)


def network_inputs(images: Tensor, normalisation: Normalisation, generator: torch.Generator | None) -> Tensor:
    """(B, C, H, W) uint8 to normalised float32, augmented first where a generator is given."""
    return normalisation.apply(images if generator is None else augment(images, generator))


def check_count(count: int, length: int) -> None:
    """Refuse a number of images that is not from 1 to ``length``.

    Raises:
        ValueError: it is so.
    """
    if not 1 <= count <= length:
        raise ArgumentError(f"count was {count}, but must be from 1 to the {length} images there are")


def check_indices(indices: Tensor, length: int) -> None:
    """Refuse what is not a (B,) int64 tensor of indices from 0 to ``length - 1``.

    Raises:
        ValueError: with the shape, type or index that is wrong.
    """
    if indices.ndim != 1 or indices.dtype != torch.int64:
        raise ArgumentError(
            f"indices was a {indices.dtype} tensor of shape {tuple(indices.shape)}, "
            "but it must be a torch.int64 tensor of one dimension"
        )
    wrong = indices[(indices < 0) | (indices >= length)]
    if len(wrong):
        raise ArgumentError(f"indices held {wrong[0].item()}, but each must be from 0 to {length - 1}")
