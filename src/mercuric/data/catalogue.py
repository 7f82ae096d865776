"""Which data sets are there, and how is one had by name?"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, overload

from mercuric.data import (
    atari,
    cifar10,
    clip_art,
    fashion_mnist,
    help_en_de,
    icons,
    image_folder,
    own_arrays,
    own_sentences,
    pages,
    photos,
    random_values,
    screens,
    text_pages,
)
from mercuric.data.arrays import ArrayData, shown_shape
from mercuric.data.location import data_root
from mercuric.data.picture_archive import SIDES
from mercuric.data.split import ImageData
from mercuric.data.text import TextData
from mercuric.errors import ArgumentError, MercuricError
from mercuric.progress import Progress, silent


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


@dataclass(frozen=True)
class _DataSet:
    what: str
    classes: str
    image_size: str
    how: str
    load: Callable[[Path, int | None], ImageData]
    present: Callable[[Path], bool]
    fetch: Callable[[Path, Progress], str]


@dataclass(frozen=True)
class _Sentences:
    what: str
    how: str
    load: Callable[[Path, int | None, int | None], TextData]
    present: Callable[[Path], bool]
    fetch: Callable[[Path, Progress], str]


@dataclass(frozen=True)
class _Arrays:
    what: str
    size: str
    how: str
    load: Callable[[str], ImageData | ArrayData]
    fetch: Callable[[Path, Progress], str]


ImageName = Literal[
    "photos",
    "text-pages",
    "fashion-mnist",
    "cifar10",
    "pages",
    "pages-150",
    "screens",
    "clip-art",
    "icons",
    "atari",
    "imagefolder",
    "imagefolder-readable",
]
TextName = Literal["help-en-de", "tsv"]
Data = ImageData | TextData | ArrayData
"""What ``load`` returns."""
Holds = Literal["images", "sentences", "arrays"]
Root = str | os.PathLike[str]


def _photos_need_no_fetch(_root: Path, _tell: Progress) -> str:
    return "The photographs ship inside scikit-image and scikit-learn: there is nothing to fetch."


def _games_need_no_fetch(_root: Path, _tell: Progress) -> str:
    if not atari.present():
        raise MercuricError(f"{atari.NAME} is played by ale-py, which is not installed: {atari.INSTALL}")
    return "The games ship inside ale-py: there is nothing to fetch."


def _text_pages_need_no_fetch(_root: Path, _tell: Progress) -> str:
    return "The pages are set from docstrings of installed Python packages: there is nothing to fetch."


def _image_folder_is_the_users(root: Path, _tell: Progress) -> str:
    raise MercuricError(
        f"imagefolder is made of your own images and cannot be fetched: lay them out as "
        f"{image_folder.LAYOUT} in {root}"
    )


def _arrays_are_the_users(_root: Path, _tell: Progress) -> str:
    raise MercuricError(f"{own_arrays.NAME} is a file of your own and cannot be fetched: {own_arrays.LAYOUT}")


def _random_needs_no_fetch(_root: Path, _tell: Progress) -> str:
    return "Random numbers are drawn when they are read: there is nothing to fetch."


def _pages(name: str) -> _DataSet:
    resolution = pages.RESOLUTIONS[name]
    return _DataSet(
        what=f"pages of manuals in Debian, drawn at {resolution.dpi} dpi, the class is the manual",
        classes=str(len(pages.MANUALS)),
        image_size=_squares(resolution.default_size),
        how=f"mercuric data fetch {name}",
        load=partial(pages.load, name),
        present=partial(pages.present, name),
        fetch=partial(pages.fetch, name),
    )


def _squares(default_size: int) -> str:
    return f"{default_size} ({SIDES[0]} to {SIDES[-1]}, cut out or on white)"


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
    text_pages.NAME: _DataSet(
        what="pages of text, set here from the docstrings of Python packages, the class is the document",
        classes=str(len(text_pages.DOCUMENTS)),
        image_size=f"{text_pages.DEFAULT_SIZE} ({text_pages.SMALLEST_SIZE} to {text_pages.LARGEST_SIZE})",
        how="nothing to do: it is made when it is loaded",
        load=lambda _root, image_size: text_pages.load(image_size),
        present=lambda _root: text_pages.present(),
        fetch=_text_pages_need_no_fetch,
    ),
    "fashion-mnist": _DataSet(
        what="grey pictures of clothes, 60,000 to train on and 10,000 to test on",
        classes="10",
        image_size="32 (28 to 64, padded)",
        how="mercuric data fetch fashion-mnist",
        load=fashion_mnist.load,
        present=fashion_mnist.present,
        fetch=lambda root, _tell: fashion_mnist.fetch(root),
    ),
    "cifar10": _DataSet(
        what="colour photographs of things and animals, 50,000 to train on and 10,000 to test on",
        classes="10",
        image_size="32 (32 to 64, padded)",
        how="mercuric data fetch cifar10",
        load=cifar10.load,
        present=cifar10.present,
        fetch=lambda root, _tell: cifar10.fetch(root),
    ),
    pages.NAME: _pages(pages.NAME),
    pages.FINE: _pages(pages.FINE),
    screens.NAME: _DataSet(
        what="screenshots of three manuals in Debian, the class is the manual or its part",
        classes="5",
        image_size=_squares(screens.DEFAULT_SIZE),
        how=f"mercuric data fetch {screens.NAME}",
        load=screens.load,
        present=screens.present,
        fetch=screens.fetch,
    ),
    clip_art.NAME: _DataSet(
        what="drawings of the Open Clip Art Library, the class is the folder",
        classes="17",
        image_size=_squares(clip_art.DEFAULT_SIZE),
        how=f"mercuric data fetch {clip_art.NAME}",
        load=clip_art.load,
        present=clip_art.present,
        fetch=clip_art.fetch,
    ),
    icons.NAME: _DataSet(
        what="icons of four desktop themes, the class is what a theme sorts them by",
        classes="9 (8 from 153 pixels, 6 from 385)",
        image_size=_squares(icons.DEFAULT_SIZE),
        how=f"mercuric data fetch {icons.NAME}",
        load=icons.load,
        present=icons.present,
        fetch=icons.fetch,
    ),
    atari.NAME: _DataSet(
        what="states of 8 Atari games, four frames each, the class is the game",
        classes="8",
        image_size="84",
        how=f"nothing to do: it is played by ale-py ({atari.INSTALL})",
        load=lambda _root, image_size: atari.load(image_size),
        present=lambda _root: atari.present(),
        fetch=_games_need_no_fetch,
    ),
    image_folder.NAME: _DataSet(
        what="your own images",
        classes="one a folder",
        image_size=f"224 (1 to {image_folder.LARGEST_SIZE}, cropped)",
        how=f"lay the images out as {image_folder.LAYOUT} and give that folder as root",
        load=image_folder.load,
        present=image_folder.present,
        fetch=_image_folder_is_the_users,
    ),
    image_folder.SKIPPING: _DataSet(
        what="your own images without those that can't be read",
        classes="one a folder",
        image_size=f"224 (1 to {image_folder.LARGEST_SIZE}, cropped)",
        how=f"as {image_folder.NAME}",
        load=partial(image_folder.load, skip_unreadable=True),
        present=image_folder.present,
        fetch=_image_folder_is_the_users,
    ),
}

_SENTENCES: dict[str, _Sentences] = {
    help_en_de.NAME: _Sentences(
        what="English sentences of LibreOffice's help and their German translations",
        how="mercuric data fetch help-en-de",
        load=help_en_de.load,
        present=help_en_de.present,
        fetch=lambda root, _tell: help_en_de.fetch(root),
    ),
    own_sentences.NAME: _Sentences(
        what="your own sentences and their translations",
        how=f"put {own_sentences.LAYOUT} into a folder and give that folder as root",
        load=own_sentences.load,
        present=own_sentences.present,
        fetch=lambda root, _tell: own_sentences.fetch(root),
    ),
}

_ARRAYS: dict[str, _Arrays] = {
    own_arrays.NAME: _Arrays(
        what="your own arrays, of any shape, one or several an example",
        size="as they are",
        how=f"{own_arrays.NAME}:FILE, {own_arrays.LAYOUT}",
        load=lambda place: own_arrays.load(Path(place).expanduser()),
        fetch=_arrays_are_the_users,
    ),
    random_values.NAME: _Arrays(
        what="random numbers, of any shape, one or several an example",
        size="as you say",
        how=f"{random_values.NAME}:{random_values.LAYOUT}",
        load=random_values.load,
        fetch=_random_needs_no_fetch,
    ),
}

_NEEDS_ROOT = {
    image_folder.NAME: ("DIR", f"the folder that holds {image_folder.LAYOUT}"),
    image_folder.SKIPPING: ("DIR", f"the folder that holds {image_folder.LAYOUT}"),
    own_sentences.NAME: ("DIR", f"the folder that holds {own_sentences.LAYOUT}"),
    own_arrays.NAME: ("FILE", own_arrays.LAYOUT),
    random_values.NAME: ("SHAPE", random_values.LAYOUT),
}
"""Data sets of one's own: what is named after a colon, as ``imagefolder:DIR``, or as ``root``."""


def names() -> tuple[str, ...]:
    """Every name that ``load`` knows, the default first, images before sentences before arrays."""
    return (*_DATA_SETS, *_SENTENCES, *_ARRAYS)


def own_forms() -> str:
    """What names of one's own data look like, as a sentence lists them."""
    *first, last = [f"{name}:{place}" for name, (place, _) in _NEEDS_ROOT.items()]
    return f"{', '.join(first)} or {last}"


def placed(name: str) -> tuple[str, str | None]:
    """The data set's name, and what is named after a colon: of ``"imagefolder:DIR"`` the folder."""
    known, colon, place = name.partition(":")
    return known, place if colon else None


def is_known(name: str) -> bool:
    """Whether ``load`` knows the name; what is after a colon isn't looked at."""
    known, place = placed(name)
    return known in names() and (place is None or known in _NEEDS_ROOT)


def resizes(name: str) -> bool:
    """Whether the data can be had in another size than their own."""
    return placed(name)[0] in _DATA_SETS


def holds(name: str) -> Holds:
    """What the data set holds; arrays may be images, which nobody knows before they are read.

    Raises:
        ValueError: an unknown name.
    """
    known, _ = placed(name)
    _entry(known)
    return "sentences" if known in _SENTENCES else "arrays" if known in _ARRAYS else "images"


def describe(root: Root | None = None) -> tuple[Description, ...]:
    """One row a data set; whether it is present is looked up in ``root`` (``data_root()``)."""
    where = _folder(root)
    images = (
        Description(name, entry.what, entry.classes, entry.image_size, entry.present(where), entry.how)
        for name, entry in _DATA_SETS.items()
    )
    sentences = (
        Description(name, entry.what, "-", "-", entry.present(where), entry.how)
        for name, entry in _SENTENCES.items()
    )
    arrays = (
        Description(name, entry.what, "yours", entry.size, name == random_values.NAME, entry.how)
        for name, entry in _ARRAYS.items()
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
    if known in _SENTENCES:
        _refuse(known, "sentences", image_size=image_size)
        return _SENTENCES[known].load(_where(known, root, place), vocabulary_size, max_words)
    _entry(known)
    _refuse(known, holds(known), vocabulary_size=vocabulary_size, max_words=max_words)
    if known not in _ARRAYS:
        return load_images(name, root, image_size)
    found = _ARRAYS[known].load(str(_where(known, root, place)))
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
    _entry(known)
    if image_size is not None and (isinstance(image_size, bool) or not isinstance(image_size, int)):
        raise ArgumentError(f"image_size was {image_size!r}, but must be a whole number of pixels")
    if known in _ARRAYS:
        return require_images(load(name, root, image_size))
    if known not in _DATA_SETS:
        images = ", ".join(_DATA_SETS)
        raise ArgumentError(
            f"name was {name!r}, which holds {holds(known)}, but images are needed: one of {images}"
        )
    return _DATA_SETS[known].load(_where(known, root, place), image_size)


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
    return _entry(name).fetch(_folder(root), tell)


def _where(name: str, root: Root | None, place: str | None) -> Path:
    needed = _NEEDS_ROOT.get(name)
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


def _entry(name: str) -> _DataSet | _Sentences | _Arrays:
    every: dict[str, _DataSet | _Sentences | _Arrays] = {**_DATA_SETS, **_SENTENCES, **_ARRAYS}
    if name not in every:
        raise ArgumentError(f"name was {name!r}, but it must be one of {', '.join(names())}")
    return every[name]
