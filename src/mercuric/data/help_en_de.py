"""Which English-German sentences can everybody have? Those of LibreOffice's help."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from mercuric.data.debian import unpack
from mercuric.data.html_elements import element_texts
from mercuric.data.sentence_pairs import PARTS, Pair, page_pairs, split_pages
from mercuric.data.text import TextData, load_text
from mercuric.data.tsv import write_pairs
from mercuric.errors import MercuricError

NAME = "help-en-de"
SOURCE = ("libreoffice-help-en-us", "en-US")
TARGET = ("libreoffice-help-de", "de")
FETCH = "run `mercuric data fetch help-en-de`"


def folder(root: Path) -> Path:
    """Where the three files lie."""
    return root / NAME


def present(root: Path) -> bool:
    """Whether all three files are there (their contents are checked by ``load``)."""
    return all((folder(root) / f"{part}.tsv").is_file() for part in PARTS)


def load(root: Path, vocabulary_size: int | None, max_words: int | None) -> TextData:
    """About 31,000 training, 1,300 validation and 2,200 test pairs; see ``load_text``."""
    return load_text(NAME, folder(root), FETCH, vocabulary_size, max_words)


def fetch(root: Path) -> str:
    """Take the pages out of Debian's two packages, pair their sentences, and write them as TSV files.

    Returns:
        A sentence that says what was done.

    Raises:
        MercuricError: the tools are missing, a package cannot be had or is not what it must be, or
            the files cannot be written.
    """
    by_hand = f"put train.tsv, validation.tsv and test.tsv into {folder(root)} by hand"
    with tempfile.TemporaryDirectory(prefix="mercuric-") as temporary:
        here, there = (
            _pages(package, language, Path(temporary), by_hand) for package, language in (SOURCE, TARGET)
        )
        parts = split_pages(_paired(here, there))
    missing = [part for part, pairs in parts.items() if not pairs]
    if missing:
        raise MercuricError(
            f"{SOURCE[0]} and {TARGET[0]} gave no sentence pair for {missing[0]}.tsv; {by_hand}"
        )
    try:
        for part, pairs in parts.items():
            write_pairs(folder(root) / f"{part}.tsv", pairs)
    except OSError as error:
        raise MercuricError(f"{NAME} cannot be written into {folder(root)} ({error.strerror})", 1) from error
    counts = ", ".join(f"{len(pairs):,} {part}" for part, pairs in parts.items())
    return f"LibreOffice's help gave {counts} sentence pairs; they are in {folder(root)}."


def _pages(package: str, language: str, temporary: Path, otherwise: str) -> Path:
    target = temporary / language
    target.mkdir()
    pages = unpack(package, target, otherwise) / "usr" / "share" / "libreoffice" / "help" / language / "text"
    if not pages.is_dir():
        raise MercuricError(f"the Debian package {package} held no pages of {language}; {otherwise}")
    return pages


def _paired(here: Path, there: Path) -> Iterator[tuple[str, list[Pair]]]:
    for page in sorted(here.rglob("*.html")):
        name = page.relative_to(here)
        if (there / name).is_file():
            yield name.as_posix(), page_pairs(_texts(page), _texts(there / name))


def _texts(page: Path) -> dict[str, str]:
    try:
        return element_texts(page.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise MercuricError(f"the help page {page.name} is not UTF-8 ({error.reason})") from error
