"""What do all charts share: colours, axes, and their way into the page?"""

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd
import plotly.graph_objects as go

from mercuric.files.json_text import finite
from mercuric.page.parts import Part

DENSE = "#858c96"
MERCURY = "#1f7fc4"
EXACT = "#12946a"
ZERO_HIT = "#8cc8ee"
MAU = "#f2c14e"
MNU = "#c9772b"
SIGNATURE = "#cc79a7"
LOSS = "#d5482e"
GUIDE = "rgba(133,140,150,0.75)"
KIND_COLOURS = {"dense": DENSE, "reuse": MERCURY}
KIND_NAMES = {"dense": "dense", "reuse": "MERCURY"}

COLOURS = (MERCURY, MNU, SIGNATURE, MAU, DENSE, LOSS)
"""Of lines that are told apart by colour alone, in this order."""

_AXIS = {"zeroline": False, "automargin": True, "ticks": "outside", "ticklen": 4}
_MOST_LABELS = 36
_LONGEST_LABEL = 22
_UPRIGHT_CHARACTERS = 110
_MOST_FOR_LINEAR = 3
"""Times that the longest time may take the shortest one before their axis is logarithmic."""


def figure(height: int, x_title: str, y_title: str) -> go.Figure:
    """An empty chart in the house's style, ``height`` pixels tall; the page's script adds theme colours."""
    chart = go.Figure()
    chart.update_layout(
        template=go.layout.Template(),
        colorway=COLOURS,
        height=height,
        margin={"l": 64, "r": 16, "t": 40, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": 13},
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
        hovermode="x unified",
        hoverlabel={"namelength": -1},
        dragmode="zoom",
    )
    chart.update_xaxes(title=_title(x_title), showgrid=False, **_AXIS)
    chart.update_yaxes(title=_title(y_title), showgrid=True, tickcolor="rgba(0,0,0,0)", **_AXIS)
    return chart


def named(picture: go.Figure, words: str) -> go.Figure:
    """The chart with a line over it that says what it was measured on, also in a saved picture."""
    picture.update_layout(
        title={
            "text": plotly_text(words),
            "font": {"size": 12},
            "x": 0, "xref": "paper", "xanchor": "left", "y": 1, "yref": "container", "yanchor": "top",
            "pad": {"t": 8},
        },
        margin={"t": max(66, picture.layout.margin.t + 26)},
        height=picture.layout.height + 26,
    )  # fmt: skip
    return picture


def _title(text: str) -> dict[str, Any]:
    return {"text": text, "font": {"size": 13}, "standoff": 9}


def name_layers(chart: go.Figure, layers: list[str]) -> None:
    """Write the layers' names under positions 0, 1, ...; of very many layers, every second, third, ..."""
    every = max(1, math.ceil(len(layers) / _MOST_LABELS))
    shown = list(range(0, len(layers), every))
    labels = [plotly_text(shortened(layers[position])) for position in shown]
    longest = max(map(len, labels))
    upright = longest * len(labels) < _UPRIGHT_CHARACTERS
    chart.update_layout(height=chart.layout.height + (0 if upright else round(5.5 * longest)))
    chart.update_xaxes(
        tickmode="array",
        tickvals=shown,
        ticktext=labels,
        tickangle=0 if upright else -50,
        range=[-0.6, len(layers) - 0.4],
        tickfont={"size": 11 if len(shown) > 20 else 12},
    )


def hover_names(layers: list[str]) -> list[str]:
    """The layers' whole names, fit for Plotly's hover."""
    return [plotly_text(layer) for layer in layers]


def shortened(name: str, longest: int = _LONGEST_LABEL) -> str:
    """The end of a name that is too long for an axis."""
    return name if len(name) <= longest else f"…{name[1 - longest :]}"


@dataclass(frozen=True)
class Picture:
    """A chart under its title and note; the page's script draws it."""

    template: ClassVar[str] = "picture.html"
    parts: ClassVar[Sequence[Part]] = ()
    identity: str
    title: str
    note: str
    chart: go.Figure

    @property
    def data(self) -> Any:
        """The chart, ready for JSON."""
        return finite(self.chart.to_plotly_json())


def plotly_text(text: str) -> str:
    """Text that Plotly, which reads a subset of HTML, shows as it is."""
    return html.escape(text, quote=False)


def rounded(values: Iterable[float]) -> list[float]:
    """In six digits, which are more than a picture shows."""
    return [float(f"{value:.6g}") for value in values]


def time_axis(times: "pd.Series[float]") -> dict[str, Any]:
    """An axis of times: from zero, or logarithmic where the longest is several times the shortest."""
    low, high = float(times.min()), float(times.max())
    if high <= _MOST_FOR_LINEAR * low or low <= 0:
        return {"rangemode": "tozero"}
    ends = [math.log10(low / 1.15), math.log10(high * 1.15)]
    return {"type": "log", "range": ends, "dtick": "D2", "tickformat": "~g"}
