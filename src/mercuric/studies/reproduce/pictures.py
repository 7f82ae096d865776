"""How are our numbers drawn and tabulated beside the source's, where no study has the picture?"""

from collections.abc import Callable, Mapping, Sequence
from math import nan

import plotly.graph_objects as go

from mercuric.page import chart
from mercuric.page.chart import figure, plotly_text, rounded
from mercuric.page.table import SortableTable, numbers, words

PAPER = "the source"
COLOURS = {PAPER: chart.EXACT}
_OURS = (chart.MERCURY, chart.DENSE, chart.MAU, chart.SIGNATURE, chart.MNU, chart.ZERO_HIT)

Series = Mapping[str, Sequence[float | None]]
"""Bars of one colour, by what they are."""


def bars(names: Sequence[str], series: Series, title: str, log: bool = False) -> go.Figure:
    """Bars side by side over each name; none where a value is None."""
    picture = figure(340, "", title)
    ours = iter(_OURS)
    for label, values in series.items():
        picture.add_bar(
            x=[plotly_text(name) for name in names],
            y=rounded(nan if value is None else value for value in values),
            name=label,
            marker={"color": COLOURS[label] if label in COLOURS else next(ours)},
            hovertemplate="%{y:.3g}",
        )
    picture.update_layout(barmode="group", bargap=0.25)
    picture.update_yaxes(**({"type": "log"} if log else {"rangemode": "tozero"}))
    return picture


def lines(x: Sequence[float], series: Series, titles: tuple[str, str]) -> go.Figure:
    """A line for each series."""
    picture = figure(340, *titles)
    ours = iter(_OURS)
    for label, values in series.items():
        picture.add_scatter(
            x=list(x), y=rounded(nan if value is None else value for value in values),
            name=label, mode="lines+markers", marker={"size": 8}, hovertemplate="%{y:.3g}",
            line={"color": COLOURS[label] if label in COLOURS else next(ours), "width": 3},
        )  # fmt: skip
    picture.update_yaxes(rangemode="tozero")
    return picture


def tabulated(
    head: str, names: Sequence[str], series: Series, text: Callable[[float | None], str], title: str = ""
) -> SortableTable:
    """The numbers of a picture, a name a row."""
    return SortableTable(
        [words(head, names), *(numbers(label, values, text) for label, values in series.items())], title
    )
