"""How does a result show itself in a notebook, when what draws it lies above it?

Charts are drawn by :mod:`mercuric.page.notebook`, which is imported when one is asked for: who trains needs
none, and a light install can draw none.
"""

import base64
import html
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mercuric.errors import MercuricError
from mercuric.extras import needed_for

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWS = "mercuric.page.notebook"


def drawn(name: str, *shown: object) -> "Figure":
    """The chart that the function ``name`` of :mod:`mercuric.page.notebook` draws of ``shown``.

    Raises:
        MissingPackage: matplotlib or plotly is not installed.
        MercuricError: there is nothing to draw.
    """
    with needed_for("a chart"):
        draw: Any = getattr(import_module(_DRAWS), name)
        figure: Figure = draw(*shown)
    return figure


def shown_as_html(said: str, name: str, *shown: object, table: str = "") -> str:
    """A line, the chart that :func:`drawn` makes, and a table, as HTML; where nothing can be drawn, no chart.

    Args:
        said: the line, as text.
        name: of the function that draws.
        shown: its arguments.
        table: HTML.
    """
    try:
        picture: Any = drawn(name, *shown)
    except MercuricError:
        chart = ""
    else:
        encoded = base64.b64encode(picture._repr_svg_().encode()).decode()
        chart = f'<img alt="{html.escape(said)}" src="data:image/svg+xml;base64,{encoded}">'
    return f"<p>{html.escape(said)}</p>{chart}{scrolling(table)}"


def scrolling(table: str) -> str:
    """A table as HTML that scrolls where the window is narrower."""
    return f'<div style="overflow-x:auto">{table}</div>' if table else ""
