"""How does an image file, of whatever depth and colours, become upright 8-bit RGB pixels?

Depth: grey of 16 bits and integers of 32 count from 0 to 65535, floating point from 0 to 1, so that the
largest is white in every file; a file that goes beyond is refused, for nobody knows what is white in it.
Alpha: what shows through is white. Of several frames or pages the first is read.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mercuric.errors import ArgumentError, MercuricError
from mercuric.extras import needed_for
from mercuric.files.regular import irregular

with needed_for("mercuric.data"):
    from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = {
    "AVIF": (".avif",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG": (".jfif", ".jpeg", ".jpg"),
    "JPEG2000": (".jp2",),
    "PNG": (".png",),
    "PPM": (".pbm", ".pfm", ".pgm", ".pnm", ".ppm"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
"""Pillow's name of every format that is read, and the endings that are looked for. A file is read by what
it holds: one of these formats under another's ending is read too, and nothing else is: an EPS would run
Ghostscript. A camera's MPO is a JPEG, whose first picture is read."""
ENDINGS = frozenset(ending for endings in FORMATS.values() for ending in endings)
BACKGROUND = (255, 255, 255)
WHITE = {"I": 65535.0, "I;16": 65535.0, "I;16B": 65535.0, "I;16L": 65535.0, "I;16N": 65535.0, "F": 1.0}
"""The value of white in Pillow's modes of more than 8 bits."""

_ORIENTATION, _TIFF_BITS, _TIFF_PHOTOMETRIC, _WHITE_IS_ZERO = 0x0112, 258, 262, 0
_TURNED_BACK = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_image(path: Path, image_size: int) -> Tensor:
    """The image at ``path`` as (3, image_size, image_size) uint8: its centre, the shorter side resized.

    Raises:
        MercuricError: the file is missing, or no image of :data:`FORMATS`.
    """
    try:
        with open_image(path) as image:
            fitted = ImageOps.fit(to_rgb(image), (image_size, image_size), Image.Resampling.BILINEAR)
    except Exception as error:  # a decoder may meet anything in a file, and raises as much
        raise MercuricError(f"{shown(path)} cannot be read as an image ({reason(error)})") from error
    return torch.from_numpy(np.array(fitted)).permute(2, 0, 1)


def open_image(path: Path) -> Image.Image:
    """The file's header as an image whose pixels are not decoded yet.

    Raises:
        OSError, ValueError: it is no regular file, or holds no image of :data:`FORMATS`.
        Exception: whatever a decoder meets.
    """
    require_content(path)
    return Image.open(path, formats=_here())


def require_content(path: Path) -> None:
    """Refuse what is no regular file, which may never end, and what holds nothing.

    Raises:
        OSError, ValueError: it is so.
    """
    kind = irregular(path.stat().st_mode)
    if kind is not None:
        raise ArgumentError(f"it is {kind}")
    if not path.stat().st_size:
        raise ArgumentError("it is empty")


def to_rgb(image: Image.Image) -> Image.Image:
    """The first frame, upright, with 8 bits a channel and no alpha.

    Raises:
        ValueError: grey values beyond the range that the module's docstring states.
        Exception: whatever a decoder meets.
    """
    image.load()
    turned = _TURNED_BACK.get(_orientation(image))
    flat = _grey(image) if image.mode in WHITE else _opaque(image)
    return flat if turned is None else flat.transpose(turned)


@cache
def _here() -> tuple[str, ...]:
    """Those of :data:`FORMATS` that this build of Pillow has."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def shown(path: Path | str) -> str:
    """A path as text that every output can encode: bytes that are no UTF-8 as ``\\xff``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def reason(error: Exception) -> str:
    """What went wrong, in a few words that don't repeat the file's name."""
    if isinstance(error, UnidentifiedImageError):
        return f"it is none of {', '.join(_here())}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__


def _orientation(image: Image.Image) -> Any:
    try:
        return image.getexif().get(_ORIENTATION)
    except Exception:  # a broken EXIF block leaves the pixels as good as they are
        return None


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    colours = {"La": "LA", "PA": "RGBA", "RGBa": "RGBA"}.get(image.mode, image.mode)
    above = image.convert(colours).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", above.size, (*BACKGROUND, 255)), above).convert("RGB")


def _grey(image: Image.Image) -> Image.Image:
    """8 bits of grey values that have more."""
    values = np.asarray(image).astype(np.float64)
    white = _white(image)
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= white):  # so that NaN is refused too
        raise ArgumentError(
            f"its values are from {low:g} to {high:g}, but in mode {image.mode} must be from 0 to {white:g}"
        )
    eight: NDArray[np.uint8] = np.rint(values * (255 / white)).astype(np.uint8)
    tags = getattr(image, "tag_v2", {})
    if tags.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO:
        eight = 255 - eight
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        eight[values == clear] = BACKGROUND[0]
    return Image.fromarray(eight).convert("RGB")


def _white(image: Image.Image) -> float:
    bits = getattr(image, "tag_v2", {}).get(_TIFF_BITS, (16,))
    if image.mode.startswith("I;16") and bits[0] < 16:
        return float(2 ** bits[0] - 1)
    return WHITE[image.mode]
