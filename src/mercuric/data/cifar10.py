"""Where does CIFAR-10 (Krizhevsky, 2009) come from, and how is it read?"""

from pathlib import Path
from typing import Any

import torch

from mercuric.data.normalisation import Normalisation
from mercuric.data.padding import check_padding, padded
from mercuric.data.split import ImageData, InMemorySplit
from mercuric.errors import MercuricError

FETCH = "run `mercuric data fetch cifar10`"
STATISTICS = Normalisation((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
SIDE = 32
FOLDER = "cifar-10-batches-py"

_BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta")


def present(root: Path) -> bool:
    """Whether every file is there (their checksums are compared by ``load``)."""
    return all((root / FOLDER / name).is_file() for name in _BATCHES)


def load(root: Path, image_size: int | None) -> ImageData:
    """50,000 training and 10,000 test images, colour, 32x32, padded with zeros to ``image_size``.

    torchvision compares every file's checksum before it opens it.

    Raises:
        ValueError: ``image_size`` is below 32 or above 64.
        MercuricError: a file is missing or damaged.
    """
    size = SIDE if image_size is None else image_size
    check_padding(SIDE, size)
    train, test = (_open(root, train=train, download=False) for train in (True, False))
    return ImageData("cifar10", tuple(train.classes), 3, size, _split(train, size), _split(test, size))


def fetch(root: Path) -> str:
    """Download and check CIFAR-10 with torchvision.

    Returns:
        A sentence that says what was done.

    Raises:
        MercuricError: the network, the archive or the disk failed.
    """
    _open(root, train=False, download=True)
    return f"CIFAR-10 is in {root / FOLDER}."


def _open(root: Path, *, train: bool, download: bool) -> Any:
    from mercuric.torchvision_operators import torchvision  # a second that the other data sets save

    try:
        return torchvision.datasets.CIFAR10(root, train=train, download=download)
    except (OSError, RuntimeError) as error:
        if download:
            raise MercuricError(
                f"CIFAR-10 could not be downloaded ({error}); check the network and try again, "
                f"or put the folder {FOLDER} of cifar-10-python.tar.gz into {root} by hand"
            ) from error
        raise MercuricError(
            f"{root / FOLDER} is missing, or a file in it is missing or damaged; {FETCH}"
        ) from error


def _split(dataset: Any, image_size: int) -> InMemorySplit:
    images = torch.from_numpy(dataset.data).permute(0, 3, 1, 2).contiguous()
    labels = torch.tensor(dataset.targets, dtype=torch.int64)
    return InMemorySplit(padded(images, image_size), labels, STATISTICS)
