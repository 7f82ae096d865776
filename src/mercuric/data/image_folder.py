"""How is a folder of one's own images read?"""

import unicodedata
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from mercuric.data.image_file import ENDINGS, read_image, shown
from mercuric.data.image_files import image_files, in_threads, is_the_users, unreadable
from mercuric.data.normalisation import IMAGENET, Normalisation
from mercuric.data.split import ImageData, check_count, check_indices, network_inputs
from mercuric.errors import ArgumentError, MercuricError

NAME, SKIPPING = "imagefolder", "imagefolder-readable"
DEFAULT_SIZE, LARGEST_SIZE = 224, 4096
LAYOUT = "train/CLASS/*.jpg and test/CLASS/*.jpg (or val/CLASS/*.jpg)"


@dataclass(frozen=True)
class FolderSplit:
    """Images that are read from their files when a batch asks for them.

    Attributes:
        files: one path an image, class by class.
        labels: (N,) int64.
        image_size: side that every image is resized and cropped to, in pixels.
        normalisation: how pixels become inputs.
    """

    files: tuple[Path, ...]
    labels: Tensor
    image_size: int
    normalisation: Normalisation = IMAGENET

    def __len__(self) -> int:
        return len(self.files)

    def few(self, count: int) -> Tensor:
        """Some of every class, evenly: see ``Split.few``."""
        check_count(count, len(self))
        return torch.arange(count) * (len(self) - 1) // max(count - 1, 1)

    def pixels(self, indices: Tensor) -> Tensor:
        """The images at ``indices`` (B,) as (B, 3, image_size, image_size) uint8, decoded side by side.

        Raises:
            ValueError: ``indices`` is no int64 vector of indices from 0 to ``len(self) - 1``.
            MercuricError: a file cannot be decoded.
        """
        check_indices(indices, len(self))
        size = self.image_size
        images = in_threads(lambda path: read_image(path, size), [self.files[i] for i in indices.tolist()])
        return torch.stack(images) if images else torch.empty(0, 3, size, size, dtype=torch.uint8)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """See ``Split.batch``; also raises ``MercuricError`` where a file cannot be decoded."""
        return network_inputs(self.pixels(indices), self.normalisation, generator), self.labels[indices]

    def normalised(self, normalisation: Normalisation) -> Self:
        """See ``Split.normalised``."""
        return replace(self, normalisation=normalisation)


def present(root: Path) -> bool:
    """Whether ``root`` is laid out as ``load`` wants it."""
    return (root / "train").is_dir() and any((root / name).is_dir() for name in ("test", "val"))


def load(root: Path, image_size: int | None, skip_unreadable: bool = False) -> ImageData:
    """Classes are the folders under ``root/train``; ``root/test`` (or ``root/val``) must have the same.

    An image is resized so that its shorter side is ``image_size`` (224), then cropped about its
    centre. Images are decoded a batch at a time, as RGB, normalised by ImageNet's statistics.

    Args:
        root: the folder.
        image_size: side of the images in pixels, up to 4096.
        skip_unreadable: leave out files that can't be read, with a warning that names them, instead of
            refusing the folder.

    Raises:
        ValueError: ``image_size`` is out of range.
        MercuricError: a folder is missing or empty, the classes of the two parts differ, or files can't
            be read; it names all of these.
    """
    size = DEFAULT_SIZE if image_size is None else image_size
    if not 1 <= size <= LARGEST_SIZE:
        raise ArgumentError(
            f"image_size was {size}, but it must be a positive number of pixels, at most {LARGEST_SIZE}"
        )
    train_folder, test_folder = root / "train", _test_folder(root)
    train_classes, test_classes = _classes(train_folder), _classes(test_folder)
    if train_classes.keys() != test_classes.keys():
        difference = ", ".join(sorted(train_classes.keys() ^ test_classes.keys()))
        raise MercuricError(
            f"{shown(train_folder)} and {shown(test_folder)} must have the same classes, but differ in "
            f"{difference}"
        )
    found = [_found(folders) for folders in (train_classes, test_classes)]
    broken = unreadable([path for files in found for path, _ in files])
    if broken:
        _tell(broken, root, skip_unreadable)
    train, test = (
        _split(folders, [pair for pair in files if pair[0] not in broken], size)
        for folders, files in zip((train_classes, test_classes), found, strict=True)
    )
    name = SKIPPING if skip_unreadable else NAME
    return ImageData(name, tuple(train_classes), 3, size, train, test, len(broken))


def _test_folder(root: Path) -> Path:
    for name in ("test", "val"):
        if (root / name).is_dir():
            return root / name
    raise MercuricError(f"{shown(root / 'test')} is missing; an image folder holds {LAYOUT}")


def _classes(folder: Path) -> dict[str, Path]:
    """Every class's folder, by its name as text in composed Unicode, in the order of the names."""
    if not folder.is_dir():
        raise MercuricError(f"{shown(folder)} is missing; an image folder holds {LAYOUT}")
    classes: dict[str, Path] = {}
    for path in folder.iterdir():
        name = unicodedata.normalize("NFC", shown(path.name))
        if path.is_dir() and is_the_users(path.name) and classes.setdefault(name, path) != path:
            raise MercuricError(f"{shown(folder)} holds two folders that are both called {name}")
    if not classes:
        raise MercuricError(f"{shown(folder)} holds no folder of a class; an image folder holds {LAYOUT}")
    return dict(sorted(classes.items()))


def _found(classes: dict[str, Path]) -> list[tuple[Path, int]]:
    found = []
    for label, folder in enumerate(classes.values()):
        try:
            files = image_files(folder)
        except OSError as error:
            raise MercuricError(
                f"{shown(error.filename or folder)} can't be read: {error.strerror}"
            ) from None
        if not files:
            raise MercuricError(f"{shown(folder)} holds no image ({', '.join(sorted(ENDINGS))})")
        found += [(path, label) for path in files]
    return found


def _split(classes: dict[str, Path], files: Sequence[tuple[Path, int]], image_size: int) -> FolderSplit:
    paths, labels = [path for path, _ in files], [label for _, label in files]
    there = set(labels)
    for label, folder in enumerate(classes.values()):
        if label not in there:
            raise MercuricError(f"{shown(folder)} holds no image that can be read")
    return FolderSplit(tuple(paths), torch.tensor(labels, dtype=torch.int64), image_size)


def _tell(broken: dict[Path, str], root: Path, skip: bool) -> None:
    named = "; ".join(f"{shown(path.relative_to(root))}: {why}" for path, why in broken.items())
    count = f"{len(broken)} image{'s' * (len(broken) > 1)} of {shown(root)}"
    if skip:
        warnings.warn(
            f"{count} can't be read and {'are' if len(broken) > 1 else 'is'} left out ({named})", stacklevel=4
        )
        return
    raise MercuricError(
        f"{count} can't be read ({named}); remove such files, or take {SKIPPING} as data to leave them out"
    )
