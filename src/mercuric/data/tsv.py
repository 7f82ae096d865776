"""How are sentence pairs stored?"""

from collections.abc import Iterable
from pathlib import Path

from mercuric.data.sentence_pairs import Pair
from mercuric.errors import MercuricError
from mercuric.files import write_text


def read_pairs(path: Path, remedy: str) -> tuple[Pair, ...]:
    """The pairs of a UTF-8 file: a line each, source and target separated by a tab.

    Args:
        path: the file.
        remedy: what the user can do where the file is missing, as an imperative.

    Raises:
        MercuricError: the file is missing, empty or cut off, or a line is no pair.
    """
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
    source, target = (column.strip() for column in columns)
    if not source or not target:
        raise MercuricError(f"{place} has an empty {'target' if source else 'source'} sentence")
    return source, target


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """Write what ``read_pairs`` reads, whole or not at all.

    Raises:
        OSError: it can't be written.
    """
    write_text(path, "".join(f"{source}\t{target}\n" for source, target in pairs))
