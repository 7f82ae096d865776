"""Where does Fashion-MNIST (Xiao et al., 2017) come from, and how is it read?"""

import gzip
import tempfile
import zlib
from pathlib import Path

from torch import Tensor

from mercuric.data.debian import unpack
from mercuric.data.idx import IdxFile, defect, read
from mercuric.data.normalisation import Normalisation
from mercuric.data.padding import check_padding, padded
from mercuric.data.split import ImageData, InMemorySplit
from mercuric.errors import MercuricError
from mercuric.files.writing import replacing

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
PACKAGE = "dataset-fashion-mnist"
FETCH = "run `mercuric data fetch fashion-mnist`"
STATISTICS = Normalisation((0.2860,), (0.3530,))
SIDE = 28
DEFAULT_SIZE = 32

TRAIN = (
    IdxFile("train-images-idx3-ubyte", (60_000, SIDE, SIDE)),
    IdxFile("train-labels-idx1-ubyte", (60_000,)),
)
TEST = (
    IdxFile("t10k-images-idx3-ubyte", (10_000, SIDE, SIDE)),
    IdxFile("t10k-labels-idx1-ubyte", (10_000,)),
)
FILES = (*TRAIN, *TEST)


def folder(root: Path) -> Path:
    """Where the four idx files lie: torchvision's own layout."""
    return root / "FashionMNIST" / "raw"


def present(root: Path) -> bool:
    """Whether all four files are there with the right sizes (their contents are checked by ``load``)."""
    paths = [(folder(root) / file.name, file.size) for file in FILES]
    return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def load(root: Path, image_size: int | None) -> ImageData:
    """60,000 training and 10,000 test images, grey, 28x28, padded with zeros to ``image_size`` (32).

    Pixels are normalised by the statistics of the unpadded training images.

    Raises:
        ValueError: ``image_size`` is below 28 or above 64.
        MercuricError: a file is missing or damaged.
    """
    size = DEFAULT_SIZE if image_size is None else image_size
    check_padding(SIDE, size)
    train, test = (_split(root, files, size) for files in (TRAIN, TEST))
    return ImageData("fashion-mnist", CLASSES, 1, size, train, test)


def _split(root: Path, files: tuple[IdxFile, IdxFile], image_size: int) -> InMemorySplit:
    images, labels = (read(folder(root), file, FETCH) for file in files)
    _check_labels(labels, folder(root) / files[1].name)
    return InMemorySplit(padded(images.unsqueeze(1), image_size), labels.long(), STATISTICS)


def _check_labels(labels: Tensor, path: Path) -> None:
    largest = int(labels.max())
    if largest >= len(CLASSES):
        raise MercuricError(
            f"{path} held label {largest}, but labels go from 0 to {len(CLASSES) - 1}; {FETCH}"
        )


def fetch(root: Path) -> str:
    """Take the four files out of Debian's package and write them, each through a temporary name.

    Returns:
        A sentence that says what was done.

    Raises:
        MercuricError: the tools are missing, the package cannot be had or is not what it must be,
            or the files cannot be written.
    """
    target = folder(root)
    by_hand = (
        f"put {', '.join(file.name for file in FILES)} (not gzipped) into {target} by hand, or let "
        f"torchvision.datasets.FashionMNIST({str(root)!r}, download=True) get them"
    )
    with tempfile.TemporaryDirectory(prefix="mercuric-") as temporary:
        unpacked = unpack(PACKAGE, Path(temporary), by_hand)
        contents = {file: _gunzipped(unpacked, file, by_hand) for file in FILES}
    try:
        target.mkdir(parents=True, exist_ok=True)
        for file, content in contents.items():
            with replacing(target / file.name) as path:
                path.write_bytes(content)
    except OSError as error:
        raise MercuricError(f"Fashion-MNIST cannot be written into {target} ({error.strerror})", 1) from error
    return f"Fashion-MNIST's 4 files are in {target}."


def _gunzipped(unpacked: Path, file: IdxFile, otherwise: str) -> bytes:
    found = sorted(unpacked.rglob(f"{file.name}.gz"))
    if not found:
        raise MercuricError(f"the Debian package {PACKAGE} held no {file.name}.gz; {otherwise}")
    try:
        content = gzip.decompress(found[0].read_bytes())
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise MercuricError(f"{file.name}.gz in {PACKAGE} is damaged ({error}); {otherwise}") from error
    wrong = defect(content, file)
    if wrong:
        raise MercuricError(f"{file.name}.gz in {PACKAGE} {wrong}; {otherwise}")
    return content
