"""What real images are there on every machine?"""

from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mercuric.data.crops import Part, crops
from mercuric.data.normalisation import Normalisation, measured
from mercuric.data.split import ImageData, InMemorySplit
from mercuric.errors import ArgumentError, MercuricError
from mercuric.extras import needed_for

with needed_for("mercuric.data"):
    from PIL import Image

DEFAULT_SIZE = 32
LARGEST_SIZE = 512
LARGEST_SMALL_SIZE = 64
SMALL_CROPS: dict[Part, int] = {"train": 10_500, "test": 2100}
LARGE_CROPS: dict[Part, int] = {"train": 448, "test": 98}


@dataclass(frozen=True)
class Photograph:
    """A photograph inside an installed package: its class name, package and path in it."""

    name: str
    package: str
    path: str


PHOTOGRAPHS = (
    Photograph("astronaut", "skimage", "data/astronaut.png"),
    Photograph("coffee", "skimage", "data/coffee.png"),
    Photograph("chelsea", "skimage", "data/chelsea.png"),
    Photograph("rocket", "skimage", "data/rocket.jpg"),
    Photograph("motorcycle", "skimage", "data/motorcycle_left.png"),
    Photograph("china", "sklearn", "datasets/images/china.jpg"),
    Photograph("flower", "sklearn", "datasets/images/flower.jpg"),
)


def location(photograph: Photograph) -> Path:
    """The file of a photograph.

    Raises:
        MercuricError: the package is not installed, or does not ship the file.
    """
    package = find_spec(photograph.package)
    folders = package.submodule_search_locations if package else None
    path = Path(next(iter(folders))) / photograph.path if folders else None
    if path is None or not path.is_file():
        raise MercuricError(
            f"{photograph.path} is missing from the package {photograph.package}; "
            "run `pip install --force-reinstall scikit-image scikit-learn`"
        )
    return path


def present() -> bool:
    """Whether every photograph is installed."""
    try:
        return all(location(photograph) for photograph in PHOTOGRAPHS)
    except MercuricError:
        return False


def read(photograph: Photograph, image_size: int) -> Tensor:
    """A photograph as (3, H, W) uint8, two crops of ``image_size`` wide and one high at least.

    A smaller one is enlarged (bicubic, proportions kept) until it is. At 224 pixels and below none is.

    Raises:
        MercuricError: the file is missing.
    """
    with Image.open(location(photograph)) as file:
        image = file.convert("RGB")
    scale = max(2 * image_size / image.width, image_size / image.height)
    if scale > 1:
        size = (ceil(image.width * scale), ceil(image.height * scale))
        image = image.resize(size, Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def load(image_size: int | None) -> ImageData:
    """Crops of seven photographs; the class is the photograph, training and testing share no pixel.

    10,500 training and 2,100 test crops up to 64x64 pixels, 448 and 98 above, the same ones each time;
    classes differ by at most one crop. ``mercuric.data.crops`` says how crops are chosen, ``read``
    what happens to a photograph that is too small. Normalised by the training crops' statistics.

    Args:
        image_size: side of a crop in pixels (32), up to 512.

    Raises:
        ValueError: ``image_size`` is not from 1 to 512.
        MercuricError: a photograph is missing.
    """
    size = DEFAULT_SIZE if image_size is None else image_size
    if not 1 <= size <= LARGEST_SIZE:
        raise ArgumentError(f"image_size was {size}, but it must be from 1 to {LARGEST_SIZE} pixels")
    images = [read(photograph, size) for photograph in PHOTOGRAPHS]
    train_crops, test_crops = _cut(images, size, "train"), _cut(images, size, "test")
    normalisation = measured(train_crops)
    train, test = (_split(part, normalisation) for part in (train_crops, test_crops))
    return ImageData("photos", tuple(photo.name for photo in PHOTOGRAPHS), 3, size, train, test)


def _cut(images: list[Tensor], image_size: int, part: Part) -> Tensor:
    """(N, 3, image_size, image_size): crop i is of photograph i modulo 7."""
    count = (SMALL_CROPS if image_size <= LARGEST_SMALL_SIZE else LARGE_CROPS)[part]
    cut = torch.empty(count, 3, image_size, image_size, dtype=torch.uint8)
    for label, image in enumerate(images):
        places = range(label, count, len(images))
        boxes = crops(image.shape[1], image.shape[2], image_size, part, len(places))
        for place, box in zip(places, boxes, strict=True):
            cut[place] = image[:, box.top : box.bottom, box.left : box.right]
    return cut


def _split(images: Tensor, normalisation: Normalisation) -> InMemorySplit:
    return InMemorySplit(images, torch.arange(len(images)) % len(PHOTOGRAPHS), normalisation)
