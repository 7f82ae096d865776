"""How does a picture show which regions of an image are computed, and which are copies?"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from mercuric.page.chart import Picture, figure
from mercuric.page.parts import Part

COMPUTED = (31, 127, 196)
"""The colour of what is computed, in red, green and blue."""
_LEAST_SIDE = 448
"""Pixels, so that those of small images are seen as squares."""
_PALE, _INK = 0.72, 0.34


@dataclass(frozen=True)
class Tile:
    """A picture under its name.

    Attributes:
        source: a data URI.
        title: what it is of.
        note: what one reads in it.
    """

    source: str
    title: str
    note: str


@dataclass(frozen=True)
class Tiles:
    """Pictures beside one another."""

    template: ClassVar[str] = "mercuric.studies.similarity.equal/tiles.html"
    tiles: Sequence[Tile]

    @property
    def parts(self) -> Sequence[Part]:
        """The pictures as charts."""
        return [
            Picture(f"maps-{place}-{tile.title}", tile.title, tile.note, _chart(tile))
            for place, tile in enumerate(self.tiles)
        ]


def _chart(tile: Tile) -> go.Figure:
    picture = figure(480, "", "")
    picture.add_image(source=tile.source)
    picture.update_xaxes(visible=False)
    picture.update_yaxes(visible=False, autorange="reversed", scaleanchor="x")
    return picture


def plain(image: Path) -> str:
    """The image as a data URI."""
    return _uri(_enlarged(image))


def overlaid(image: Path, computed: Path) -> str:
    """The image, pale, with a colour on every vector that is computed, as a data URI.

    Args:
        image: a picture.
        computed: another one, white where a vector is computed, as large as the layer's result.
    """
    seen = _enlarged(image)
    with Image.open(computed) as read:
        mask = np.asarray(read.convert("L").resize(seen.size, Image.Resampling.NEAREST))[..., None] > 0
    grey = np.asarray(seen.convert("L"), dtype=np.float64)[..., None]
    pale = 255 * _PALE + grey * (1 - _PALE)
    inked = np.array(COMPUTED) * (1 - _INK) + grey * _INK
    return _uri(Image.fromarray(np.where(mask, inked, pale).round().astype(np.uint8)))


def _enlarged(image: Path) -> Image.Image:
    with Image.open(image) as read:
        times = max(1, -(-_LEAST_SIDE // read.width))
        size = (times * read.width, times * read.height)
        return read.convert("RGB").resize(size, Image.Resampling.NEAREST)


def _uri(picture: Image.Image) -> str:
    content = io.BytesIO()
    picture.save(content, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode('ascii')}"
