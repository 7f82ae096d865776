"""Which data sets are there?"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

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
from mercuric.data.arrays import ArrayData
from mercuric.data.picture_archive import SIDES
from mercuric.data.split import ImageData
from mercuric.data.text import TextData
from mercuric.errors import ArgumentError, MercuricError
from mercuric.progress import Progress


@dataclass(frozen=True)
class DataSet:
    what: str
    classes: str
    image_size: str
    how: str
    load: Callable[[Path, int | None], ImageData]
    present: Callable[[Path], bool]
    fetch: Callable[[Path, Progress], str]


@dataclass(frozen=True)
class Sentences:
    what: str
    how: str
    load: Callable[[Path, int | None, int | None], TextData]
    present: Callable[[Path], bool]
    fetch: Callable[[Path, Progress], str]


@dataclass(frozen=True)
class Arrays:
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


def _pages(name: str) -> DataSet:
    resolution = pages.RESOLUTIONS[name]
    return DataSet(
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


DATA_SETS: dict[str, DataSet] = {
    "photos": DataSet(
        what="crops of 7 photographs, the class is the photograph",
        classes="7",
        image_size="32 (1 to 512)",
        how="nothing to do: it ships inside scikit-image and scikit-learn",
        load=lambda _root, image_size: photos.load(image_size),
        present=lambda _root: photos.present(),
        fetch=_photos_need_no_fetch,
    ),
    text_pages.NAME: DataSet(
        what="pages of text, set here from the docstrings of Python packages, the class is the document",
        classes=str(len(text_pages.DOCUMENTS)),
        image_size=f"{text_pages.DEFAULT_SIZE} ({text_pages.SMALLEST_SIZE} to {text_pages.LARGEST_SIZE})",
        how="nothing to do: it is made when it is loaded",
        load=lambda _root, image_size: text_pages.load(image_size),
        present=lambda _root: text_pages.present(),
        fetch=_text_pages_need_no_fetch,
    ),
    "fashion-mnist": DataSet(
        what="grey pictures of clothes, 60,000 to train on and 10,000 to test on",
        classes="10",
        image_size="32 (28 to 64, padded)",
        how="mercuric data fetch fashion-mnist",
        load=fashion_mnist.load,
        present=fashion_mnist.present,
        fetch=lambda root, _tell: fashion_mnist.fetch(root),
    ),
    "cifar10": DataSet(
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
    screens.NAME: DataSet(
        what="screenshots of three manuals in Debian, the class is the manual or its part",
        classes="5",
        image_size=_squares(screens.DEFAULT_SIZE),
        how=f"mercuric data fetch {screens.NAME}",
        load=screens.load,
        present=screens.present,
        fetch=screens.fetch,
    ),
    clip_art.NAME: DataSet(
        what="drawings of the Open Clip Art Library, the class is the folder",
        classes="17",
        image_size=_squares(clip_art.DEFAULT_SIZE),
        how=f"mercuric data fetch {clip_art.NAME}",
        load=clip_art.load,
        present=clip_art.present,
        fetch=clip_art.fetch,
    ),
    icons.NAME: DataSet(
        what="icons of four desktop themes, the class is what a theme sorts them by",
        classes="9 (8 from 153 pixels, 6 from 385)",
        image_size=_squares(icons.DEFAULT_SIZE),
        how=f"mercuric data fetch {icons.NAME}",
        load=icons.load,
        present=icons.present,
        fetch=icons.fetch,
    ),
    atari.NAME: DataSet(
        what="states of 8 Atari games, four frames each, the class is the game",
        classes="8",
        image_size="84",
        how=f"nothing to do: it is played by ale-py ({atari.INSTALL})",
        load=lambda _root, image_size: atari.load(image_size),
        present=lambda _root: atari.present(),
        fetch=_games_need_no_fetch,
    ),
    image_folder.NAME: DataSet(
        what="your own images",
        classes="one a folder",
        image_size=f"224 (1 to {image_folder.LARGEST_SIZE}, cropped)",
        how=f"lay the images out as {image_folder.LAYOUT} and give that folder as root",
        load=image_folder.load,
        present=image_folder.present,
        fetch=_image_folder_is_the_users,
    ),
    image_folder.SKIPPING: DataSet(
        what="your own images without those that can't be read",
        classes="one a folder",
        image_size=f"224 (1 to {image_folder.LARGEST_SIZE}, cropped)",
        how=f"as {image_folder.NAME}",
        load=partial(image_folder.load, skip_unreadable=True),
        present=image_folder.present,
        fetch=_image_folder_is_the_users,
    ),
}

SENTENCES: dict[str, Sentences] = {
    help_en_de.NAME: Sentences(
        what="English sentences of LibreOffice's help and their German translations",
        how="mercuric data fetch help-en-de",
        load=help_en_de.load,
        present=help_en_de.present,
        fetch=lambda root, _tell: help_en_de.fetch(root),
    ),
    own_sentences.NAME: Sentences(
        what="your own sentences and their translations",
        how=f"put {own_sentences.LAYOUT} into a folder and give that folder as root",
        load=own_sentences.load,
        present=own_sentences.present,
        fetch=lambda root, _tell: own_sentences.fetch(root),
    ),
}

ARRAYS: dict[str, Arrays] = {
    own_arrays.NAME: Arrays(
        what="your own arrays, of any shape, one or several an example",
        size="as they are",
        how=f"{own_arrays.NAME}:FILE, {own_arrays.LAYOUT}",
        load=lambda place: own_arrays.load(Path(place).expanduser()),
        fetch=_arrays_are_the_users,
    ),
    random_values.NAME: Arrays(
        what="random numbers, of any shape, one or several an example",
        size="as you say",
        how=f"{random_values.NAME}:{random_values.LAYOUT}",
        load=random_values.load,
        fetch=_random_needs_no_fetch,
    ),
}

NEEDS_ROOT = {
    image_folder.NAME: ("DIR", f"the folder that holds {image_folder.LAYOUT}"),
    image_folder.SKIPPING: ("DIR", f"the folder that holds {image_folder.LAYOUT}"),
    own_sentences.NAME: ("DIR", f"the folder that holds {own_sentences.LAYOUT}"),
    own_arrays.NAME: ("FILE", own_arrays.LAYOUT),
    random_values.NAME: ("SHAPE", random_values.LAYOUT),
}
"""Data sets of one's own: what is named after a colon, as ``imagefolder:DIR``, or as ``root``."""


def names() -> tuple[str, ...]:
    """Every name that ``load`` knows, the default first, images before sentences before arrays."""
    return (*DATA_SETS, *SENTENCES, *ARRAYS)


def own_forms() -> str:
    """What names of one's own data look like, as a sentence lists them."""
    *first, last = [f"{name}:{place}" for name, (place, _) in NEEDS_ROOT.items()]
    return f"{', '.join(first)} or {last}"


def placed(name: str) -> tuple[str, str | None]:
    """The data set's name, and what is named after a colon: of ``"imagefolder:DIR"`` the folder."""
    known, colon, place = name.partition(":")
    return known, place if colon else None


def is_known(name: str) -> bool:
    """Whether ``load`` knows the name; what is after a colon isn't looked at."""
    known, place = placed(name)
    return known in names() and (place is None or known in NEEDS_ROOT)


def resizes(name: str) -> bool:
    """Whether the data can be had in another size than their own."""
    return placed(name)[0] in DATA_SETS


def holds(name: str) -> Holds:
    """What the data set holds; arrays may be images, which nobody knows before they are read.

    Raises:
        ValueError: an unknown name.
    """
    known, _ = placed(name)
    entry(known)
    return "sentences" if known in SENTENCES else "arrays" if known in ARRAYS else "images"


def entry(name: str) -> DataSet | Sentences | Arrays:
    """What is known of the data set.

    Raises:
        ValueError: an unknown name.
    """
    every: dict[str, DataSet | Sentences | Arrays] = {**DATA_SETS, **SENTENCES, **ARRAYS}
    if name not in every:
        raise ArgumentError(f"name was {name!r}, but it must be one of {', '.join(names())}")
    return every[name]
