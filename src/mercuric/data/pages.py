"""Which printed pages can everybody have? Those of manuals in Debian that are PDF documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mercuric.data import picture_archive
from mercuric.data.debian_pictures import Archive, Found
from mercuric.data.debian_pictures import fetch as fetch_pictures
from mercuric.data.normalisation import Normalisation
from mercuric.data.split import ImageData
from mercuric.errors import MercuricError
from mercuric.progress import Progress

NAME, FINE = "pages", "pages-150"
PAGES = 60
"""Of a document, evenly from its first to its last."""


@dataclass(frozen=True)
class Manual:
    """A PDF document of a Debian package, and the package's version that the documentation is of."""

    title: str
    package: str
    version: str
    path: str


MANUALS = (
    Manual("asymptote", "asymptote-doc", "2.85+ds-1", "doc/asymptote/asymptote.pdf"),
    Manual("bash", "bash-doc", "5.2.15-2", "doc/bash/bashref.pdf"),
    Manual("debian-policy", "debian-policy", "4.6.2.0", "doc/debian-policy/policy.pdf"),
    Manual("debian-reference", "debian-reference-en", "2.100", "debian-reference/debian-reference.en.pdf"),
    Manual(
        "developers-reference",
        "developers-reference",
        "12.18",
        "developers-reference/developers-reference.pdf",
    ),
    Manual("doxygen", "doxygen-doc", "1.9.4-4", "doc/doxygen/doxygen_manual.pdf"),
    Manual("gnuplot", "gnuplot-doc", "5.4.4+dfsg1-2", "doc/gnuplot/gnuplot.pdf"),
    Manual("gri", "gri-pdf-doc", "2.12.27-1.1", "doc/gri/gri.pdf"),
    Manual("octave", "octave-doc", "7.3.0-2", "doc/octave/octave.pdf"),
    Manual("r-extensions", "r-doc-pdf", "4.2.2.20221110-2", "R/doc/manual/R-exts.pdf"),
    Manual("sdcc", "sdcc-doc", "4.2.0+dfsg-1", "doc/sdcc-doc/sdccman.pdf"),
    Manual("zsh", "zsh-doc", "5.9-4", "doc/zsh-common/zsh.pdf"),
)


@dataclass(frozen=True)
class Resolution:
    """The pages at a number of pixels an inch: one of the two data sets.

    Attributes:
        name: of the data set.
        dpi: pixels an inch.
        default_size: of an image, in pixels.
        normalisation: of the training pages at that size.
    """

    name: str
    dpi: int
    default_size: int
    normalisation: Normalisation

    @property
    def file(self) -> str:
        """The archive's name."""
        return f"{self.dpi}-dpi.zip"

    def path(self, root: Path) -> Path:
        """Where the archive lies."""
        return root / NAME / self.file


RESOLUTIONS = {
    resolution.name: resolution
    for resolution in (
        Resolution(NAME, 72, 512, Normalisation((0.9477, 0.9476, 0.9485), (0.1518, 0.1515, 0.1505))),
        Resolution(FINE, 150, 1024, Normalisation((0.9482, 0.9482, 0.9490), (0.1818, 0.1815, 0.1801))),
    )
}


def present(name: str, root: Path) -> bool:
    """Whether the archive of ``pages`` or ``pages-150`` is there (contents are checked as they are read)."""
    return picture_archive.present(RESOLUTIONS[name].path(root))


def load(name: str, root: Path, image_size: int | None) -> ImageData:
    """Pages of twelve manuals, drawn at 72 or 150 dpi; the class is the manual.

    Args:
        name: ``pages`` or ``pages-150``.
        root: the folder of data sets.
        image_size: side of the square about a page's centre, in pixels (512 or 1024), from 32 to 1024; what
            is smaller lies on white.

    Raises:
        ValueError: ``image_size`` is out of range.
        MercuricError: the archive is missing or damaged.
    """
    chosen = RESOLUTIONS[name]
    size = chosen.default_size if image_size is None else image_size
    remedy = f"run `mercuric data fetch {name}`"
    return picture_archive.load(chosen.path(root), name, size, chosen.normalisation, remedy)


def fetch(name: str, root: Path, tell: Progress) -> str:
    """Draw pages of the manuals in Debian's packages: see ``mercuric.data.debian_pictures.fetch``."""
    chosen = RESOLUTIONS[name]
    archive = Archive(chosen.file, chosen.default_size, lambda roots: list(_found(roots, chosen.dpi)))
    versions = {manual.package: manual.version for manual in MANUALS}
    return fetch_pictures(name, root / NAME, versions, [archive], tell)


def _found(roots: Mapping[str, Path], dpi: int) -> Iterator[Found]:
    """Each page by itself: no page of a manual looks like one more than like the others."""
    from mercuric.data.pdf_pages import open_pdf  # needs a package that drawn pages don't

    for manual in MANUALS:
        document = open_pdf(roots[manual.package] / "usr/share" / manual.path)
        if len(document) < PAGES:
            raise MercuricError(
                f"{manual.path} of {manual.package} has {len(document)} pages, but must have {PAGES}"
            )
        for place in range(PAGES):
            number = place * (len(document) - 1) // (PAGES - 1)
            page = f"{manual.title}/{number + 1:04}.png"
            yield Found(page, manual.title, page, partial(document.png, number, dpi))
