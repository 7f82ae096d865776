"""How are heat maps and images drawn?"""

import base64
import io
import math
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from PIL import Image

from mercuric.page.paper.chart import Plot
from mercuric.page.paper.marks import Heat, Photo
from mercuric.page.paper.style import SMALLEST, on_white
from mercuric.page.paper.ticks import FORMATS, even, texts

_DARK = 0.5
"""Below this brightness letters on a cell are white."""
_WIDEST_GAP = 0.1
"""Of a cell's width."""


def draw_heat(figure: Figure, axes: Axes, plot: Plot, heat: Heat) -> None:
    """Draw a heat map, with its scale beside it; a cell without a value stays white."""
    values = np.array([[math.nan if one is None else one for one in row] for row in heat.values], dtype=float)
    colours = LinearSegmentedColormap.from_list("scale", [(at, on_white(one)) for at, one in heat.scale])
    scaled = Normalize(heat.least, heat.most)
    painted = ScalarMappable(scaled, colours)
    x, y = plot.x.places(heat.x), plot.y.places(heat.y)
    if heat.gap:
        width = 72 * figure.get_figwidth() / len(x)
        axes.pcolormesh(
            _edges(x), _edges(y), values, cmap=colours, norm=scaled,
            edgecolors="white", linewidth=min(heat.gap, _WIDEST_GAP * width),
        )  # fmt: skip
    else:
        across, up = _edges(x), _edges(y)
        ends = (across[0], across[-1], up[0], up[-1])
        axes.imshow(
            painted.to_rgba(values), extent=ends, origin="lower", interpolation="nearest", aspect="auto"
        )
    for row, line in enumerate(heat.texts):
        for column, text in enumerate(line):
            light = np.dot(painted.to_rgba(values[row, column])[:3], (0.3, 0.59, 0.11)) > _DARK
            axes.text(
                x[column], y[row], text, ha="center", va="center", fontsize=SMALLEST,
                color="black" if light or math.isnan(values[row, column]) else "white",
            )  # fmt: skip
    if heat.bar:
        _draw_scale(figure, axes, heat, painted)


def _draw_scale(figure: Figure, axes: Axes, heat: Heat, painted: ScalarMappable) -> None:
    places = even(heat.least, heat.most, 5)
    bar = figure.colorbar(painted, ax=axes, pad=0.02, aspect=25, fraction=0.06)
    bar.set_ticks(places, labels=texts(places, FORMATS[heat.bar_format], heat.bar_suffix))
    bar.outline.set_visible(False)


def _edges(centres: list[float]) -> list[float]:
    """The edges of cells, half way between their centres."""
    between = [(one + other) / 2 for one, other in pairwise(centres)]
    first, last = (between[0], between[-1]) if between else (centres[0] - 0.5, centres[0] + 0.5)
    return [2 * centres[0] - first, *between, 2 * centres[-1] - last]


def draw_photo(axes: Axes, photo: Photo) -> None:
    """Draw an image, a pixel a unit, the first one at 0."""
    with Image.open(io.BytesIO(base64.b64decode(photo.source.partition(",")[2]))) as read:
        pixels = np.asarray(read.convert("RGB"))
    height, width = pixels.shape[:2]
    ends = (-0.5, width - 0.5, -0.5, height - 0.5)
    axes.imshow(pixels, extent=ends, origin="lower", interpolation="nearest", aspect="auto")
