"""How is a data set had by its name?"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from mercuric.data import random_values
from mercuric.data.arrays import shown_shape
from mercuric.data.catalogue import (
    ARRAYS,
    DATA_SETS,
    NEEDS_ROOT,
    SENTENCES,
    Data,
    ImageName,
    TextName,
    entry,
    holds,
    placed,
)
from mercuric.data.location import data_root
from mercuric.data.split import ImageData
from mercuric.data.text import TextData
from mercuric.errors import ArgumentError
from mercuric.progress import Progress, silent

Root = str | os.PathLike[str]


@dataclass(frozen=True)
class Description:
    """A row of ``mercuric data list``.

    Attributes:
        name: what ``load`` takes.
        what: what the images or sentences are.
        classes: how many classes; ``"-"`` for sentences.
        image_size: the size that ``load`` gives by default, and the others it can give; ``"-"`` for
            sentences.
        present: whether it can be loaded now.
        how: how to get it.
    """

    name: str
    what: str
    classes: str
    image_size: str
    present: bool
    how: str


def describe(root: Root | None = None) -> tuple[Description, ...]:
    """One row a data set; whether it is present is looked up in ``root`` (``data_root()``)."""
    where = _folder(root)
    images = (
        Description(name, one.what, one.classes, one.image_size, one.present(where), one.how)
        for name, one in DATA_SETS.items()
    )
    sentences = (
        Description(name, one.what, "-", "-", one.present(where), one.how) for name, one in SENTENCES.items()
    )
    arrays = (
        Description(name, one.what, "yours", one.size, name == random_values.NAME, one.how)
        for name, one in ARRAYS.items()
    )
    return (*images, *sentences, *arrays)


@overload
def load(name: ImageName, root: Root | None = None, image_size: int | None = None) -> ImageData: ...


@overload
def load(
    name: TextName,
    root: Root | None = None,
    *,
    vocabulary_size: int | None = None,
    max_words: int | None = None,
) -> TextData: ...


@overload
def load(
    name: str,
    root: Root | None = None,
    image_size: int | None = None,
    *,
    vocabulary_size: int | None = None,
    max_words: int | None = None,
) -> Data: ...


def load(
    name: str,
    root: Root | None = None,
    image_size: int | None = None,
    *,
    vocabulary_size: int | None = None,
    max_words: int | None = None,
) -> Data:
    """The data set called ``name``.

    Args:
        name: one of ``names()``, those of one's own with their place: ``"imagefolder:DIR"``,
            ``"imagefolder-readable:DIR"``, ``"tsv:DIR"``, ``"npz:FILE"``, ``"random:3x32x32"``.
        root: the folder of data sets (``data_root()``); or the place, where the name doesn't hold it.
        image_size: side of the square images, in pixels; each data set has its own default.
        vocabulary_size: for sentences, how many subwords there are at most (8000).
        max_words: for sentences, pairs with a longer one are left out; all are kept by default.

    Raises:
        ValueError: an unknown name, a size that the data set cannot give, no ``root`` where one is
            needed, or a setting of images for sentences or of sentences for images.
        MercuricError: files are missing or damaged.
    """
    known, place = placed(name)
    if known in SENTENCES:
        _refuse(known, "sentences", image_size=image_size)
        return SENTENCES[known].load(_where(known, root, place), vocabulary_size, max_words)
    entry(known)
    _refuse(known, holds(known), vocabulary_size=vocabulary_size, max_words=max_words)
    if known not in ARRAYS:
        return load_images(name, root, image_size)
    found = ARRAYS[known].load(str(_where(known, root, place)))
    if image_size is not None and not (isinstance(found, ImageData) and found.image_size == image_size):
        raise ArgumentError(f"image_size was {image_size}, but {name} holds another one and is never resized")
    return found


def load_images(name: str, root: Root | None = None, image_size: int | None = None) -> ImageData:
    """``load`` for a name that must be one of images.

    Raises:
        ValueError: the name is one of sentences; else see ``load``.
        MercuricError: see ``load``.
    """
    known, place = placed(name)
    entry(known)
    if image_size is not None and (isinstance(image_size, bool) or not isinstance(image_size, int)):
        raise ArgumentError(f"image_size was {image_size!r}, but must be a whole number of pixels")
    if known in ARRAYS:
        return require_images(load(name, root, image_size))
    if known not in DATA_SETS:
        images = ", ".join(DATA_SETS)
        raise ArgumentError(
            f"name was {name!r}, which holds {holds(known)}, but images are needed: one of {images}"
        )
    return DATA_SETS[known].load(_where(known, root, place), image_size)


def require_images(loaded: Data) -> ImageData:
    """The same, where it is images.

    Raises:
        ValueError: it isn't.
    """
    if isinstance(loaded, ImageData):
        return loaded
    held = "sentences" if isinstance(loaded, TextData) else ", ".join(map(shown_shape, loaded.shapes))
    raise ArgumentError(f"data was {loaded.name!r} of {held}, but must be square images here")


def fetch(name: str, root: Root | None = None, tell: Progress = silent) -> str:
    """Get the data set called ``name`` from where it is published, and check it.

    Args:
        name: one of ``names()``.
        root: the folder of data sets (``data_root()``).
        tell: told how far it is, where that takes long.

    Returns:
        A sentence for the user that says what was done.

    Raises:
        ValueError: an unknown name.
        MercuricError: it cannot be had, or is not what it must be; the message says what to do.
    """
    return entry(name).fetch(_folder(root), tell)


def _where(name: str, root: Root | None, place: str | None) -> Path:
    needed = NEEDS_ROOT.get(name)
    if place is not None:
        if needed is None:
            raise ArgumentError(
                f"name was '{name}:{place}', but {name} is where it is: nothing follows its name"
            )
        root = place
    if needed is not None and not root:
        raise ArgumentError(f"root was {root!r}, but {name} needs {needed[1]}: {name}:{needed[0]}")
    return _folder(root)


def _folder(root: Root | None) -> Path:
    if root is None:
        return data_root()
    if not isinstance(root, str | os.PathLike) or not os.fspath(root):
        raise ArgumentError(f"root was {root!r}, but must be the path of a folder")
    return Path(root).expanduser()


def _refuse(name: str, what: str, **settings: int | None) -> None:
    for setting, value in settings.items():
        if value is not None:
            raise ArgumentError(f"{setting} was {value}, but {name} holds {what}, for which it must be None")
