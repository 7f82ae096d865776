"""Which screenshots can everybody have? Those of three manuals in Debian."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mercuric.data import picture_archive
from mercuric.data.debian_pictures import Archive, Found
from mercuric.data.debian_pictures import fetch as fetch_pictures
from mercuric.data.normalisation import Normalisation
from mercuric.data.split import ImageData
from mercuric.progress import Progress

NAME = "screens"
FILE = "screens.zip"
DEFAULT_SIZE = 512
GNOME, EDU, GIMP = "gnome-user-docs", "debian-edu-doc-en", "gimp-help-en"
VERSIONS = {GNOME: "43.0-2", EDU: "2.12.23~deb12u1", GIMP: "2.10.34-2"}
STATISTICS = Normalisation((0.8042, 0.809, 0.8233), (0.3306, 0.322, 0.2988))
FETCH = f"run `mercuric data fetch {NAME}`"

_SMALLEST = 100
"""Pixels: what is less wide or high is an icon or a bar, not a screen."""

_GIMP_IMAGES = "usr/share/gimp/2.0/help/en/images"
_GIMP_FOLDERS = ("dialogs", "menus", "preferences")


def present(root: Path) -> bool:
    """Whether the archive is there (its contents are checked as they are read)."""
    return picture_archive.present(root / NAME / FILE)


def load(root: Path, image_size: int | None) -> ImageData:
    """Screenshots, colour; the class is the manual, and of GIMP's what is shown: dialogs, menus, preferences.

    A screenshot that is there in several languages is for training in all of them, or for testing in all.

    Args:
        root: the folder of data sets.
        image_size: side of the square about a picture's centre, in pixels (512), from 32 to 1024; what is
            smaller lies on white.

    Raises:
        ValueError: ``image_size`` is out of range.
        MercuricError: the archive is missing or damaged.
    """
    size = DEFAULT_SIZE if image_size is None else image_size
    return picture_archive.load(root / NAME / FILE, NAME, size, STATISTICS, FETCH)


def fetch(root: Path, tell: Progress) -> str:
    """Take the screenshots out of Debian's packages: see ``mercuric.data.debian_pictures.fetch``."""
    archive = Archive(FILE, DEFAULT_SIZE, lambda roots: list(_found(roots)))
    return fetch_pictures(NAME, root / NAME, VERSIONS, [archive], tell)


def _found(roots: Mapping[str, Path]) -> Iterator[Found]:
    """A file's name is its family: the same one in another language, edition or folder looks like it."""
    help_pages = roots[GNOME] / "usr/share/help"
    for path in _pictures(help_pages, "*/gnome-help/figures"):
        yield _one("gnome", path, help_pages)
    manual = roots[EDU] / "usr/share/doc" / EDU
    for path in _pictures(manual, "debian-edu-*-manual-images"):
        yield _one("debian-edu", path, manual)
    images = roots[GIMP] / _GIMP_IMAGES
    for folder in _GIMP_FOLDERS:
        for path in _pictures(images, folder):
            yield _one(f"gimp-{folder}", path, images)


def _pictures(root: Path, folder: str) -> list[Path]:
    """The PNG files below a folder that are as large as a screen's part; links lead to one of them."""
    found = (path for top in root.glob(folder) for path in top.rglob("*.png"))
    return sorted(path for path in found if not path.is_symlink() and _large(path))


def _large(path: Path) -> bool:
    with path.open("rb") as file:
        header = file.read(24)
    return min(int.from_bytes(header[16:20]), int.from_bytes(header[20:24])) >= _SMALLEST


def _one(group: str, path: Path, root: Path) -> Found:
    return Found(f"{group}/{path.relative_to(root).as_posix()}", group, path.stem, path.read_bytes)
