"""How is a folder of one's own images read?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from mercuric.data.normalisation import IMAGENET
from mercuric.data.split import ImageData, check_indices, network_inputs
from mercuric.errors import MercuricError

DEFAULT_SIZE = 224
ENDINGS = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})
LAYOUT = "train/CLASS/*.jpg and test/CLASS/*.jpg (or val/CLASS/*.jpg)"


@dataclass(frozen=True)
class FolderSplit:
    """Images that are read from their files when a batch asks for them.

    Attributes:
        files: one path an image.
        labels: (N,) int64.
        image_size: side that every image is resized and cropped to, in pixels.
    """

    files: tuple[Path, ...]
    labels: Tensor
    image_size: int

    def __len__(self) -> int:
        return len(self.files)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """See ``Split.batch``; also raises ``MercuricError`` where a file cannot be decoded."""
        check_indices(indices, len(self))
        pixels = [read_image(self.files[index], self.image_size) for index in indices.tolist()]
        images = (
            torch.stack(pixels)
            if pixels
            else torch.empty(0, 3, self.image_size, self.image_size, dtype=torch.uint8)
        )
        return network_inputs(images, IMAGENET, generator), self.labels[indices]


def present(root: Path) -> bool:
    """Whether ``root`` is laid out as ``load`` wants it."""
    return (root / "train").is_dir() and any((root / name).is_dir() for name in ("test", "val"))


def load(root: Path, image_size: int | None) -> ImageData:
    """Classes are the folders under ``root/train``; ``root/test`` (or ``root/val``) must have the same.

    An image is resized so that its shorter side is ``image_size`` (224), then cropped about its
    centre. Images are decoded a batch at a time, as RGB, normalised by ImageNet's statistics.

    Raises:
        ValueError: ``image_size`` is not positive.
        MercuricError: a folder is missing or empty, or the classes of the two parts differ.
    """
    size = DEFAULT_SIZE if image_size is None else image_size
    if size < 1:
        raise ValueError(f"image_size was {size}, but it must be a positive number of pixels")
    train_folder, test_folder = root / "train", _test_folder(root)
    classes = _classes(train_folder)
    if classes != _classes(test_folder):
        difference = ", ".join(sorted(set(classes) ^ set(_classes(test_folder))))
        raise MercuricError(
            f"{train_folder} and {test_folder} must have the same classes, but differ in {difference}"
        )
    train, test = (_split(folder, classes, size) for folder in (train_folder, test_folder))
    return ImageData("imagefolder", classes, 3, size, train, test)


def read_image(path: Path, image_size: int) -> Tensor:
    """The image at ``path`` as (3, image_size, image_size) uint8.

    Raises:
        MercuricError: the file is missing, or no image that Pillow can decode.
    """
    try:
        with Image.open(path) as image:
            fitted = ImageOps.fit(image.convert("RGB"), (image_size, image_size), Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MercuricError(f"{path} cannot be read as an image ({error}); replace or remove it") from error
    return torch.from_numpy(np.array(fitted)).permute(2, 0, 1)


def _test_folder(root: Path) -> Path:
    for name in ("test", "val"):
        if (root / name).is_dir():
            return root / name
    raise MercuricError(f"{root / 'test'} is missing; an image folder holds {LAYOUT}")


def _classes(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        raise MercuricError(f"{folder} is missing; an image folder holds {LAYOUT}")
    classes = tuple(sorted(path.name for path in folder.iterdir() if path.is_dir()))
    if not classes:
        raise MercuricError(f"{folder} holds no folder of a class; an image folder holds {LAYOUT}")
    return classes


def _split(folder: Path, classes: tuple[str, ...], image_size: int) -> FolderSplit:
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = sorted(path for path in (folder / name).rglob("*") if path.suffix.lower() in ENDINGS)
        if not found:
            raise MercuricError(f"{folder / name} holds no image ({', '.join(sorted(ENDINGS))})")
        files += found
        labels += [label] * len(found)
    return FolderSplit(tuple(files), torch.tensor(labels, dtype=torch.int64), image_size)
