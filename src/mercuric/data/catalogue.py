"""Which data sets are there, and how is one had by name?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mercuric.data import cifar10, fashion_mnist, image_folder, photos
from mercuric.data.location import data_root
from mercuric.data.split import ImageData
from mercuric.errors import MercuricError


@dataclass(frozen=True)
class Description:
    """A row of ``mercuric data list``.

    Attributes:
        name: what ``load`` takes.
        what: what the images are.
        classes: how many classes.
        image_size: the size that ``load`` gives by default, and the others it can give.
        present: whether it can be loaded now.
        how: how to get it.
    """

    name: str
    what: str
    classes: str
    image_size: str
    present: bool
    how: str


@dataclass(frozen=True)
class _DataSet:
    what: str
    classes: str
    image_size: str
    how: str
    load: Callable[[Path, int | None], ImageData]
    present: Callable[[Path], bool]
    fetch: Callable[[Path], str]


def _photos_need_no_fetch(_root: Path) -> str:
    return "The photographs ship inside scikit-image and scikit-learn: there is nothing to fetch."


def _image_folder_is_the_users(root: Path) -> str:
    raise MercuricError(
        f"imagefolder is made of your own images and cannot be fetched: lay them out as "
        f"{image_folder.LAYOUT} in {root}"
    )


_DATA_SETS: dict[str, _DataSet] = {
    "photos": _DataSet(
        what="crops of 7 photographs, the class is the photograph",
        classes="7",
        image_size="32 (1 to 512)",
        how="nothing to do: it ships inside scikit-image and scikit-learn",
        load=lambda _root, image_size: photos.load(image_size),
        present=lambda _root: photos.present(),
        fetch=_photos_need_no_fetch,
    ),
    "fashion-mnist": _DataSet(
        what="grey pictures of clothes, 60,000 to train on and 10,000 to test on",
        classes="10",
        image_size="32 (28 to 64, padded)",
        how="mercuric data fetch fashion-mnist",
        load=fashion_mnist.load,
        present=fashion_mnist.present,
        fetch=fashion_mnist.fetch,
    ),
    "cifar10": _DataSet(
        what="colour photographs of things and animals, 50,000 to train on and 10,000 to test on",
        classes="10",
        image_size="32 (32 to 64, padded)",
        how="mercuric data fetch cifar10",
        load=cifar10.load,
        present=cifar10.present,
        fetch=cifar10.fetch,
    ),
    "imagefolder": _DataSet(
        what="your own images",
        classes="one a folder",
        image_size="224 (any, cropped)",
        how=f"lay the images out as {image_folder.LAYOUT} and give that folder as root",
        load=image_folder.load,
        present=image_folder.present,
        fetch=_image_folder_is_the_users,
    ),
}


def names() -> tuple[str, ...]:
    """Every name that ``load`` knows, the default first."""
    return tuple(_DATA_SETS)


def describe(root: Path | None = None) -> tuple[Description, ...]:
    """One row a data set; whether it is present is looked up in ``root`` (``data_root()``)."""
    where = data_root() if root is None else root
    return tuple(
        Description(name, entry.what, entry.classes, entry.image_size, entry.present(where), entry.how)
        for name, entry in _DATA_SETS.items()
    )


def load(name: str, root: Path | None = None, image_size: int | None = None) -> ImageData:
    """The data set called ``name``.

    Args:
        name: one of ``names()``.
        root: the folder of data sets (``data_root()``); for ``imagefolder`` the folder of images,
            which must be given.
        image_size: side of the square images, in pixels; each data set has its own default.

    Raises:
        ValueError: an unknown name, a size that the data set cannot give, or no ``root`` where one
            is needed.
        MercuricError: files are missing or damaged.
    """
    entry = _entry(name)
    if root is None and name == "imagefolder":
        raise ValueError(f"root was None, but imagefolder needs the folder that holds {image_folder.LAYOUT}")
    return entry.load(data_root() if root is None else root, image_size)


def fetch(name: str, root: Path | None = None) -> str:
    """Get the data set called ``name`` from where it is published, and check it.

    Args:
        name: one of ``names()``.
        root: the folder of data sets (``data_root()``).

    Returns:
        A sentence for the user that says what was done.

    Raises:
        ValueError: an unknown name.
        MercuricError: it cannot be had, or is not what it must be; the message says what to do.
    """
    return _entry(name).fetch(data_root() if root is None else root)


def _entry(name: str) -> _DataSet:
    if name not in _DATA_SETS:
        raise ValueError(f"name was {name!r}, but it must be one of {', '.join(names())}")
    return _DATA_SETS[name]
