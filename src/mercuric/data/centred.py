"""Which pixels of a picture does a square about its centre hold, and when are two such squares equal?

A picture is never resampled, which would make equal parts different: what is larger than the square is cut
off, and what is smaller lies on white.
"""

from hashlib import blake2b
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from mercuric.data.image_file import reason, to_rgb
from mercuric.errors import MercuricError
from mercuric.extras import needed_for

with needed_for("mercuric.data"):
    from PIL import Image

Pixels = NDArray[np.uint8]
WHITE = 255
BLANK = ""
"""The fingerprint of white."""


def decoded(png: bytes, name: str) -> Pixels:
    """A PNG file's content as (H, W, 3) uint8, what shows through on white.

    Raises:
        MercuricError: it is none, or is damaged.
    """
    try:
        with Image.open(BytesIO(png), formats=("PNG",)) as image:
            return np.asarray(to_rgb(image))
    except Exception as error:  # a decoder may meet anything in a file, and raises as much
        raise MercuricError(f"{name} cannot be read as a PNG image ({reason(error)})") from error


def square(picture: Pixels, side: int) -> Pixels:
    """(side, side, 3): the square about the centre of a picture (H, W, 3).

    The centre is pixel (H // 2, W // 2), and lies at (side // 2, side // 2).
    """
    made = np.full((side, side, 3), WHITE, np.uint8)
    rows, columns = (_cut(length, side) for length in picture.shape[:2])
    top, left = (side // 2 - length // 2 for length in picture.shape[:2])
    made[rows.start + top : rows.stop + top, columns.start + left : columns.stop + left] = picture[
        rows, columns
    ]
    return made


def fingerprints(picture: Pixels, sides: tuple[int, ...]) -> tuple[str, ...]:
    """What tells a picture's square of each side from others: equal where the squares are; blank for white.

    A square holds every smaller one in the same place: two that are equal have equal smaller ones, too.
    """
    ink = (picture != WHITE).any(2)
    found: dict[tuple[int, ...], str] = {}
    prints = []
    for side in sides:
        rows, columns = (_cut(length, side) for length in picture.shape[:2])
        cut = (rows.start, rows.stop, columns.start, columns.stop)
        if cut not in found:
            found[cut] = _fingerprint(picture, ink, rows, columns)
        prints.append(found[cut])
    return tuple(prints)


def _cut(length: int, side: int) -> slice:
    first = length // 2 - side // 2
    return slice(max(0, first), min(length, first + side))


def _fingerprint(picture: Pixels, ink: NDArray[np.bool_], rows: slice, columns: slice) -> str:
    """Of what is not white and of where that lies about the centre, so that white borders don't count."""
    dark_rows, dark_columns = (np.flatnonzero(ink[rows, columns].any(axis)) for axis in (1, 0))
    if not len(dark_rows):
        return BLANK
    top, bottom = (rows.start + int(dark_rows[end]) for end in (0, -1))
    left, right = (columns.start + int(dark_columns[end]) for end in (0, -1))
    height, width = picture.shape[:2]
    content = blake2b(f"{top - height // 2} {left - width // 2} {right - left} ".encode(), digest_size=8)
    content.update(picture[top : bottom + 1, left : right + 1].tobytes())
    return content.hexdigest()
