"""How are sentence pairs stored?"""

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from mercuric.data.sentence_pairs import Pair
from mercuric.errors import MercuricError
from mercuric.files.regular import require_regular
from mercuric.files.writing import write_text

MOST_CHARACTERS_OF_A_WORD = 1000
"""A longer one is no word, and a vocabulary's training would take gigabytes for it."""


def read_pairs(path: Path, remedy: str) -> tuple[Pair, ...]:
    """The pairs of a UTF-8 file: a line each, source and target separated by a tab.

    Sentences are composed (Unicode's NFC), so that references compare equal to what a vocabulary decodes.

    Args:
        path: the file.
        remedy: what the user can do where the file is missing, as an imperative.

    Raises:
        MercuricError: the file is missing, empty or cut off, or a line is no pair.
    """
    require_regular(path, "sentence pairs")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise MercuricError(f"{path} is missing; {remedy}") from None
    if not content:
        raise MercuricError(f"{path} is empty, but must hold sentence pairs; {remedy}")
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if lines.pop():
        raise MercuricError(
            f"{path}:{len(lines) + 1} does not end in a line feed, so the file seems to be cut off; {remedy}"
        )
    return tuple(_pair(line, f"{path}:{number}") for number, line in enumerate(lines, 1))


def _pair(line: bytes, place: str) -> Pair:
    try:
        columns = line.decode("utf-8").removesuffix("\r").split("\t")
    except UnicodeDecodeError as error:
        raise MercuricError(f"{place} is not UTF-8 ({error.reason} at byte {error.start + 1})") from None
    if len(columns) != 2:
        have = "1 column" if len(columns) == 1 else f"{len(columns)} columns"
        raise MercuricError(f"{place} has {have}, but must have 2, source and target, separated by a tab")
    source, target = (unicodedata.normalize("NFC", column).strip() for column in columns)
    if not source or not target:
        raise MercuricError(f"{place} has an empty {'target' if source else 'source'} sentence")
    for sentence in (source, target):
        if "\0" in sentence:
            raise MercuricError(f"{place} holds a NUL byte, but must be text")
        longest = max(map(len, sentence.split()))
        if longest > MOST_CHARACTERS_OF_A_WORD:
            raise MercuricError(
                f"{place} has a word of {longest:,} characters, but must have at most "
                f"{MOST_CHARACTERS_OF_A_WORD:,} in one"
            )
    return source, target


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """Write what ``read_pairs`` reads, whole or not at all.

    Raises:
        OSError: it can't be written.
    """
    write_text(path, "".join(f"{source}\t{target}\n" for source, target in pairs))
