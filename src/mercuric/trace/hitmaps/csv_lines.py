"""How is a layer's Hitmap written as lines of CSV? ``docs/hitmaps.md`` describes the columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mercuric.errors import ArgumentError, MercuricError
from mercuric.files.regular import require_regular

_HEAD = ("N", "C", "H", "W", "rows", "bits", "hits", "misses")
_SMALLEST = (1, 1, 1, 1, 1, 1, 0, 0)
_MOST_DIGITS = 18
_COMMA, _ZERO, _ONE, _NEWLINE = b",01\n"


@dataclass(frozen=True)
class HitmapLine:
    """One batch of one layer.

    Attributes:
        input_shape: N, C, H and W of the layer's input.
        bits: signature length.
        hit: bool, (rows,): which vectors reuse a result.
    """

    input_shape: tuple[int, int, int, int]
    bits: int
    hit: NDArray[np.bool_]

    def to_bytes(self) -> bytes:
        """The line, its end included."""
        rows, hits = self.hit.size, int(self.hit.sum())
        head = (*self.input_shape, rows, self.bits, hits, rows - hits)
        text = np.full(2 * rows, _COMMA, dtype=np.uint8)
        text[::2] = np.where(self.hit, _ONE, _ZERO)
        text[-1] = _NEWLINE
        return ",".join(map(str, head)).encode() + b"," + text.tobytes()


def read_hitmap_csv(path: Path) -> Iterator[HitmapLine]:
    """The lines of one layer's file, one at a time.

    Raises:
        MercuricError: there is no such file, or a line is broken; it names the line.
    """
    require_regular(path, "a layer's Hitmap")
    try:
        with path.open("rb") as file:
            number = 0
            for number, line in enumerate(file, start=1):
                try:
                    yield _parsed(line.rstrip(b"\r\n"))
                except ValueError as error:
                    raise MercuricError(f"{path}, line {number}: {error}") from None
    except OSError as error:
        raise MercuricError(f"{path} can't be read: {error.strerror}") from None
    if not number:
        raise MercuricError(f"{path} is empty, but must hold a line a batch")


def _parsed(line: bytes) -> HitmapLine:
    cells = line.split(b",", len(_HEAD))
    if len(cells) <= len(_HEAD):
        raise ArgumentError(
            f"it has {len(cells)} columns, but must have {len(_HEAD)} and the Hitmap's values"
        )
    numbers = [_number(*column) for column in zip(_HEAD, cells, _SMALLEST, strict=False)]
    rows, bits, hits, misses = numbers[4:]
    hit = _values(cells[-1], rows)
    if hits + misses != rows:
        raise ArgumentError(f"hits was {hits} and misses {misses}, but they must add up to rows, {rows}")
    if hits != int(hit.sum()):
        raise ArgumentError(f"hits was {hits}, but {int(hit.sum())} of the Hitmap's values are 1")
    return HitmapLine((numbers[0], numbers[1], numbers[2], numbers[3]), bits, hit)


def _number(name: str, cell: bytes, smallest: int) -> int:
    text = cell.decode("ascii", "replace")
    if len(text) > _MOST_DIGITS or not text.removeprefix("-").isdecimal() or int(text) < smallest:
        raise ArgumentError(f"{name} was {text[:20]!r}, but must be a whole number of at least {smallest}")
    return int(text)


def _values(text: bytes, rows: int) -> NDArray[np.bool_]:
    places = np.frombuffer(text, dtype=np.uint8)
    values = places[::2]
    if len(places) == 2 * rows - 1 and np.all(places[1::2] == _COMMA) and np.all(values | 1 == _ONE):
        hit: NDArray[np.bool_] = values == _ONE
        return hit
    cells = text.split(b",")
    if len(cells) != rows:
        raise ArgumentError(f"the Hitmap has {len(cells)} values, but must have as many as rows, {rows}")
    wrong = next(cell for cell in cells if cell not in (b"0", b"1"))
    shown = wrong[:20].decode("ascii", "replace")
    raise ArgumentError(f"a value of the Hitmap was {shown!r}, but must be 0 or 1")
