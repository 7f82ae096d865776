"""How are one's own sentence pairs read?"""

from pathlib import Path

from mercuric.data.text import TextData, load_text
from mercuric.errors import MercuricError

NAME = "tsv"
LAYOUT = "train.tsv, test.tsv and perhaps validation.tsv (a line: a sentence, a tab, its translation)"
_REMEDY = f"{NAME} is made of your own {LAYOUT}"


def present(root: Path) -> bool:
    """Whether ``root`` holds the two files that ``load`` needs."""
    return all((root / f"{part}.tsv").is_file() for part in ("train", "test"))


def load(root: Path, vocabulary_size: int | None, max_words: int | None) -> TextData:
    """The TSV files in ``root``; see ``load_text``."""
    return load_text(NAME, root, _REMEDY, vocabulary_size, max_words)


def fetch(root: Path) -> str:
    """Refuse: there is nothing to fetch.

    Raises:
        MercuricError: always.
    """
    raise MercuricError(
        f"{NAME} is made of your own sentences and cannot be fetched: put {LAYOUT} into {root}"
    )
