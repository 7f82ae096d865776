"""Which icons can everybody have? Those of four themes in Debian."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from mercuric.data import picture_archive
from mercuric.data.debian_pictures import Archive, Found
from mercuric.data.debian_pictures import fetch as fetch_pictures
from mercuric.data.normalisation import Normalisation
from mercuric.data.split import ImageData
from mercuric.progress import Progress

NAME = "icons"
DEFAULT_SIZE = 64
STATISTICS = Normalisation((0.8935, 0.8926, 0.8879), (0.2245, 0.2118, 0.2335))
FETCH = f"run `mercuric data fetch {NAME}`"
GROUPS = (
    "actions", "apps", "categories", "devices", "emblems", "emotes", "mimetypes", "places", "status",
)  # fmt: skip
"""The folders that themes sort icons into."""

DRAWN = (48, 256, 512)
"""The sizes that icons are drawn at, in pixels; there is an archive of each."""

VERSIONS = {
    "gnome-icon-theme": "3.12.0-5",
    "oxygen-icon-theme": "5:5.103.0-1",
    "paper-icon-theme": "1.5.0+git20200312.aa3e8af-4",
    "yaru-theme-icon": "22.10.3-1",
}
THEMES = {
    "gnome-icon-theme": "gnome",
    "oxygen-icon-theme": "oxygen/base",
    "paper-icon-theme": "Paper",
    "yaru-theme-icon": "Yaru",
}
"""Each package's theme."""


def present(root: Path) -> bool:
    """Whether every archive is there (their contents are checked as they are read)."""
    return all(picture_archive.present(_path(root, drawn)) for drawn in DRAWN)


def load(root: Path, image_size: int | None) -> ImageData:
    """Icons, colour, drawn at the size next to ``image_size``; the class is what a theme sorts them by.

    An icon's name is the same in every theme: it is for training in all of them, or for testing in all.

    Args:
        root: the folder of data sets.
        image_size: side of the square about an icon's centre, in pixels (64), from 32 to 1024; what is
            smaller lies on white.

    Raises:
        ValueError: ``image_size`` is out of range.
        MercuricError: the archive is missing or damaged.
    """
    size = DEFAULT_SIZE if image_size is None else image_size
    drawn = min(DRAWN, key=lambda side: abs(side - size))
    return picture_archive.load(_path(root, drawn), NAME, size, STATISTICS, FETCH)


def fetch(root: Path, tell: Progress) -> str:
    """Take the icons out of Debian's packages: see ``mercuric.data.debian_pictures.fetch``."""
    archives = [Archive(_path(root, drawn).name, drawn, partial(_found, drawn)) for drawn in DRAWN]
    return fetch_pictures(NAME, root / NAME, VERSIONS, archives, tell)


def _path(root: Path, drawn: int) -> Path:
    return root / NAME / f"{drawn}-pixels.zip"


def _found(drawn: int, roots: Mapping[str, Path]) -> list[Found]:
    return [
        one
        for package, theme in THEMES.items()
        for one in _of_theme(roots[package] / "usr/share/icons" / theme / f"{drawn}x{drawn}", theme)
    ]


def _of_theme(folder: Path, theme: str) -> Iterator[Found]:
    """The icons that are no links to others."""
    for group in GROUPS:
        for path in sorted(folder.glob(f"{group}/*.png")):
            if not path.is_symlink():
                yield Found(f"{theme}/{group}/{path.name}", group, path.stem, path.read_bytes)
