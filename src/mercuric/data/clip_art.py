"""Which drawings can everybody have? Those of the Open Clip Art Library in Debian."""

import re
from collections.abc import Mapping
from pathlib import Path

from mercuric.data import picture_archive
from mercuric.data.debian_pictures import Archive, Found
from mercuric.data.debian_pictures import fetch as fetch_pictures
from mercuric.data.normalisation import Normalisation
from mercuric.data.split import ImageData
from mercuric.progress import Progress

NAME = "clip-art"
FILE = "clip-art.zip"
DEFAULT_SIZE = 224
PACKAGE = "openclipart-png"
VERSIONS = {PACKAGE: "1:0.18+dfsg-19"}
STATISTICS = Normalisation((0.8445, 0.823, 0.7879), (0.318, 0.3297, 0.3665))
FETCH = f"run `mercuric data fetch {NAME}`"

_NO_CLASS = "unsorted"
_FIRST_WORD = re.compile(r"[A-Za-z]*")


def present(root: Path) -> bool:
    """Whether the archive is there (its contents are checked as they are read)."""
    return picture_archive.present(root / NAME / FILE)


def load(root: Path, image_size: int | None) -> ImageData:
    """Drawings, colour; the class is the library's folder.

    Drawings whose names begin with the same word are often of one series: of a folder they are all for
    training, or all for testing.

    Args:
        root: the folder of data sets.
        image_size: side of the square about a picture's centre, in pixels (224), from 32 to 1024; what is
            smaller lies on white.

    Raises:
        ValueError: ``image_size`` is out of range.
        MercuricError: the archive is missing or damaged.
    """
    size = DEFAULT_SIZE if image_size is None else image_size
    return picture_archive.load(root / NAME / FILE, NAME, size, STATISTICS, FETCH)


def fetch(root: Path, tell: Progress) -> str:
    """Take the drawings out of Debian's package: see ``mercuric.data.debian_pictures.fetch``."""
    archive = Archive(FILE, DEFAULT_SIZE, _found)
    return fetch_pictures(NAME, root / NAME, VERSIONS, [archive], tell)


def _found(roots: Mapping[str, Path]) -> list[Found]:
    """Links lead to a picture that is there by itself; those that nobody sorted have no class."""
    library = roots[PACKAGE] / "usr/share/openclipart/png"
    paths = sorted(path for path in library.rglob("*.png") if not path.is_symlink())
    inner = [(path, path.relative_to(library)) for path in paths]
    return [
        Found(name.as_posix(), name.parts[0], _family(name), path.read_bytes)
        for path, name in inner
        if name.parts[0] != _NO_CLASS
    ]


def _family(name: Path) -> str:
    word = _FIRST_WORD.match(name.stem)
    return word[0].lower() if word and word[0] else name.stem
