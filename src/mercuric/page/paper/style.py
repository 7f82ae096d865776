"""Which sizes, colours and fonts has a picture in a paper?"""

import html
import re
from typing import Any

from matplotlib.colors import to_rgba

from mercuric.errors import ArgumentError

Colour = tuple[float, float, float, float]

COLUMN, PAGE = 3.4, 7.0
"""Widths of a column and of both, in inches."""
POINTS = 72 * COLUMN / 480
"""Points that a pixel of the page becomes: a column is as wide as 480 of them."""
INK, SOFT, LINE, GRID = "#1d2126", "#5b626b", "#9aa1aa", "#e3e6ea"
SMALLEST = 5.6
"""Points of the smallest letters."""

RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # which comes with matplotlib: the same on every machine
    "font.size": 6.4,
    "text.parse_math": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": 6.6,
    "axes.labelpad": 2.5,
    "axes.titlesize": 6.2,
    "axes.titlepad": 3,
    "axes.edgecolor": LINE,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.xmargin": 0.03,
    "axes.ymargin": 0.06,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.5,
    "xtick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.color": LINE,
    "ytick.labelcolor": INK,
    "xtick.major.size": 2,
    "xtick.major.width": 0.6,
    "xtick.major.pad": 2,
    "ytick.major.size": 0,
    "ytick.major.pad": 2,
    "hatch.linewidth": 0.5,
    "lines.solid_capstyle": "round",
    "lines.dash_capstyle": "butt",
    "legend.frameon": False,
    "legend.fontsize": 6.4,
    "legend.handlelength": 1.5,
    "legend.handleheight": 0.8,
    "legend.handletextpad": 0.5,
    "legend.columnspacing": 1.3,
    "legend.labelspacing": 0.3,
    "legend.borderpad": 0,
    "legend.borderaxespad": 0,
    "figure.facecolor": "white",
    "figure.dpi": 100,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "mercuric",
}


def colour(css: object, opacity: float = 1) -> Colour:
    """A colour of the page: a name, ``#1f7fc4`` or ``rgba(31,127,196,0.5)``.

    Raises:
        ArgumentError: it is none.
    """
    text = str(css)
    parts = re.fullmatch(r"rgba?\(([^)]*)\)", text.replace(" ", ""))
    try:
        if parts is None:
            red, green, blue, alpha = to_rgba(text)
        else:
            *channels, alpha = [float(part) for part in (parts[1] + ",1").split(",")][:4]
            red, green, blue = (channel / 255 for channel in channels)
    except ValueError:
        raise ArgumentError(f"colour was {text!r}, which is not drawn for papers") from None
    return red, green, blue, alpha * opacity


def on_white(painted: Colour) -> Colour:
    """The opaque colour that one sees on paper."""
    *channels, alpha = painted
    red, green, blue = (alpha * channel + 1 - alpha for channel in channels)
    return red, green, blue, 1


def plain(text: object) -> str:
    """Text as one reads it, of the HTML that Plotly reads."""
    return html.unescape(re.sub(r"<br\s*/?>", "\n", str(text)))


def letters(pixels: float) -> float:
    """Points of letters that have so many pixels on the page."""
    return max(SMALLEST, pixels * POINTS)
