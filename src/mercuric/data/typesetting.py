"""How do a document's blocks become pages of black text on white?

Every glyph is drawn once a size and laid at whole pixels: equal glyphs are equal pixels.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mercuric.data.docstring_blocks import Block, Code, Heading, Paragraph, Table
from mercuric.errors import MercuricError
from mercuric.extras import needed_for

with needed_for("mercuric.data"):
    from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
WHITE, BLACK = 255, 0

_OVERHANG = 2
"""Pixels that a glyph may reach into those beside it."""


@dataclass(frozen=True)
class Style:
    """How a document is set.

    Attributes:
        size: of the text, in pixels.
        leading: from a line to the next, in pixels.
    """

    size: int
    leading: int


@dataclass(frozen=True)
class _Line:
    """A line of a page: pictures of words and where they begin, and what is ruled about it."""

    height: int
    words: tuple[tuple[int, Pixels], ...] = ()
    below: tuple[int, int] | None = None
    beside: tuple[int, ...] = ()


def pages(blocks: Iterable[Block], style: Style, title: str, image_size: int) -> Iterator[Pixels]:
    """Square pages, each with ``title`` and its number in a ruled head, as they are asked for.

    Args:
        blocks: the document from top to bottom.
        style: its type.
        title: of the document.
        image_size: side of a page in pixels.

    Yields:
        (image_size, image_size) uint8: 255 is white. The last page may be nearly empty.

    Raises:
        MercuricError: Pillow was built without FreeType.
    """
    margin = max(4, image_size // 16)
    width = image_size - 2 * margin
    lines = (line for block in blocks for line in _lines(block, style, width))
    number, page, top = 0, None, 0
    for line in lines:
        if page is None or top + line.height > image_size - margin:
            if page is not None:
                yield page
            number += 1
            page = np.full((image_size, image_size), WHITE, np.uint8)
            head = _head(title, number, style, width)
            _draw(page, head, margin, margin)
            top = margin + head.height
        _draw(page, line, margin, top)
        top += line.height
    if page is not None:
        yield page


def _head(title: str, number: int, style: Style, width: int) -> _Line:
    left, right = (_word(text, style.size, bold=True) for text in (title, str(number)))
    height = style.leading + style.leading // 2
    return _Line(height, ((0, left), (width - right.shape[1], right)), below=(0, width))


def _draw(page: Pixels, line: _Line, left: int, top: int) -> None:
    rule = top + line.height - 3
    for start, word in line.words:
        # The dark of two words that touch stays; what leaves the page is cut off.
        first = left + start - _OVERHANG
        part = page[top : top + word.shape[0], first : first + word.shape[1]]
        np.minimum(part, word[: part.shape[0], : part.shape[1]], out=part)
    if line.below is not None:
        page[rule, left + line.below[0] : left + line.below[1]] = BLACK
    for place in line.beside:
        page[top - 2 : rule + 1, left + place] = BLACK


def _lines(block: Block, style: Style, width: int) -> Iterator[_Line]:
    match block:
        case Heading(text):
            yield _Line(style.leading // 2)
            larger = style.size + style.size // 3
            yield from _set(text, larger, style.leading + style.leading // 3, 0, width, bold=True)
        case Paragraph(text, indent, strong):
            start = min(indent * style.size // 3, width // 3)
            yield from _set(text, style.size, style.leading, start, width, bold=strong)
            if not strong:
                yield _Line(style.leading // 3)
        case Code(lines):
            yield from _code(lines, style, width)
        case Table(rows):
            yield from _table(rows, style, width)


def _set(text: str, size: int, leading: int, start: int, width: int, *, bold: bool) -> Iterator[_Line]:
    """Ragged lines of words from ``start`` to ``width``."""
    space = _advance(" ", size)
    placed: list[tuple[int, Pixels]] = []
    across = start
    for word in text.split():
        picture = _word(word, size, bold=bold)
        if placed and across + picture.shape[1] - 2 * _OVERHANG > width:
            yield _Line(leading, tuple(placed))
            placed, across = [], start
        placed.append((across, picture))
        across += picture.shape[1] - 2 * _OVERHANG + space
    if placed:
        yield _Line(leading, tuple(placed))


def _code(lines: Iterable[str], style: Style, width: int) -> Iterator[_Line]:
    """Characters in cells of one width behind a rule; longer lines go on in the next one."""
    size, start = style.size - 1, style.size
    cell = max(1, (6 * size + 5) // 10)
    columns = max(1, (width - start) // cell)
    yield _Line(style.leading // 3)
    for line in lines:
        for first in range(0, max(1, len(line)), columns):
            part = line[first : first + columns]
            words = tuple(
                (start + at * cell + (cell - _advance(letter, size)) // 2, _word(letter, size, bold=False))
                for at, letter in enumerate(part)
                if letter != " "
            )
            yield _Line(style.leading, words, beside=(start // 2,))
    yield _Line(style.leading // 2)


def _table(rows: tuple[tuple[str, ...], ...], style: Style, width: int) -> Iterator[_Line]:
    """Cells between rules; columns that don't fit are cut off at the page's width."""
    gap = style.size // 2
    pictures = [[_word(cell, style.size, bold=not at) for cell in row] for at, row in enumerate(rows)]
    widths = [max(picture.shape[1] for picture in column) + gap for column in zip(*pictures, strict=True)]
    edges = [min(sum(widths[:count]), width - 1) for count in range(len(widths) + 1)]
    yield _Line(style.leading // 2, below=(0, edges[-1]))
    for row in pictures:
        words = tuple(
            (left + gap // 2, picture[:, : max(0, right - left - gap // 2)])
            for left, right, picture in zip(edges, edges[1:], row, strict=False)
        )
        yield _Line(style.leading, words, below=(0, edges[-1]), beside=tuple(edges))
    yield _Line(style.leading // 2)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Aileron Regular, which lies in Pillow itself."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise MercuricError("Pillow was built without FreeType, which draws text; run `pip install pillow`")
    return font


@cache
def _advance(letter: str, size: int) -> int:
    return max(1, round(_font(size).getlength(letter)))


@cache
def _glyph(letter: str, size: int) -> Pixels:
    """A letter with the overhang on both sides, as high as the font's lines."""
    font = _font(size)
    ascent, descent = font.getmetrics()
    image = Image.new("L", (_advance(letter, size) + 2 * _OVERHANG, ascent + descent), WHITE)
    ImageDraw.Draw(image).text((_OVERHANG, ascent), letter, BLACK, font, anchor="ls")
    return np.asarray(image)


@cache
def _word(text: str, size: int, *, bold: bool) -> Pixels:
    """Letters side by side, with the overhang on both sides; bold ones are drawn twice, a pixel apart."""
    wider = int(bold)
    glyphs = [_glyph(letter, size) for letter in text or " "]
    advances = [glyph.shape[1] - 2 * _OVERHANG + wider for glyph in glyphs]
    word = np.full((glyphs[0].shape[0], sum(advances) + 2 * _OVERHANG), WHITE, np.uint8)
    left = 0
    for glyph, advance in zip(glyphs, advances, strict=True):
        for shift in range(1 + wider):
            part = word[:, left + shift : left + shift + glyph.shape[1]]
            np.minimum(part, glyph, out=part)
        left += advance
    return word
