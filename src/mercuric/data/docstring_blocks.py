"""Which headings, paragraphs, lists, code and tables is a docstring made of?

Docstrings are reStructuredText as NumPy's convention writes it. What is not known is a paragraph.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

_UNDERLINE = re.compile(r"([-=~^*\"])\1{2,}")
_TABLE_RULE = re.compile(r"=+( +=+)+")
_GRID_RULE = re.compile(r"\+[-=+]+\+")
_BULLET = re.compile(r"([-*•]|\d+\.) +(?=\S)")
_ROLE = re.compile(r":[a-z:+-]+:(?=`)")


@dataclass(frozen=True)
class Heading:
    """A line above a section."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Running text.

    Attributes:
        text: its words.
        indent: columns that it is indented by.
        strong: whether it names what the next paragraph explains.
    """

    text: str
    indent: int = 0
    strong: bool = False


@dataclass(frozen=True)
class Code:
    """Lines that keep their columns."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of cells, the same number in each."""

    rows: tuple[tuple[str, ...], ...]


Block = Heading | Paragraph | Code | Table


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a docstring from top to bottom."""
    lines = text.expandtabs().splitlines()
    place = 0
    while place < len(lines):
        if not lines[place].strip():
            place += 1
            continue
        block, taken = _block(lines[place:])
        yield block
        place += taken
        if isinstance(block, Paragraph) and block.text.endswith("::"):
            code = _below(lines[place:], block.indent)
            if any(line.strip() for line in code):
                yield Code(_dedented(code))
            place += len(code)


def _block(lines: Sequence[str]) -> tuple[Block, int]:
    """The block that begins with the first line, and of how many lines it is."""
    first = lines[0].strip()
    if len(lines) > 1 and _UNDERLINE.fullmatch(lines[1].strip()):
        return Heading(_plain(first)), 2
    for rule, cells in ((_TABLE_RULE, _simple_rows), (_GRID_RULE, _grid_rows)):
        if rule.fullmatch(first):
            table = list(takewhile(str.strip, lines))
            rows = cells([line.strip("\n") for line in _dedented(table)])
            if rows:
                return Table(rows), len(table)
    if first.startswith(">>>"):
        session = list(takewhile(str.strip, lines))
        return Code(_dedented(session)), len(session)
    return _paragraph(lines)


def _paragraph(lines: Sequence[str]) -> tuple[Paragraph, int]:
    indent = _indent(lines[0])
    own = [lines[0]]
    for line in lines[1:]:
        begins_another = _BULLET.match(line.strip()) or line.strip().startswith(">>>")
        if not line.strip() or begins_another or _indent(line) != _hanging(lines[0]):
            break
        own.append(line)
    explained = len(lines) > 1 and bool(lines[1].strip()) and _indent(lines[1]) > indent
    strong = len(own) == 1 and explained and not lines[0].endswith("::")
    return Paragraph(_plain(" ".join(line.strip() for line in own)), indent, strong), len(own)


def _hanging(line: str) -> int:
    """Where the next line of a paragraph or of a list's item begins."""
    bullet = _BULLET.match(line.strip())
    return _indent(line) + (len(bullet[0]) if bullet else 0)


def _below(lines: Sequence[str], indent: int) -> list[str]:
    """The lines that are indented by more, empty ones between them included."""
    return list(takewhile(lambda line: not line.strip() or _indent(line) > indent, lines))


def _simple_rows(lines: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    starts = [match.start() for match in re.finditer("=+", lines[0])]
    cuts = [*pairwise(starts), (starts[-1], None)]
    rows = [line for line in lines if not _TABLE_RULE.fullmatch(line.strip())]
    return tuple(tuple(_plain(row[start:end].strip()) for start, end in cuts) for row in rows)


def _grid_rows(lines: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    rows = [line.strip().strip("|").split("|") for line in lines if line.strip().startswith("|")]
    columns = max(map(len, rows), default=0)
    return tuple(tuple(_plain(cell.strip()) for cell in row) for row in rows if len(row) == columns)


def _dedented(lines: Sequence[str]) -> tuple[str, ...]:
    kept = list(lines)
    while kept and not kept[0].strip():
        kept.pop(0)
    while kept and not kept[-1].strip():
        kept.pop()
    least = min((_indent(line) for line in kept if line.strip()), default=0)
    return tuple(line[least:].rstrip() for line in kept)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _plain(text: str) -> str:
    """Without the marks of roles, code and stress."""
    return _ROLE.sub("", text).replace("`", "").replace("**", "")
