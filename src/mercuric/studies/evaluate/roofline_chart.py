"""Which layers use the array, and what keeps the others from it?"""

from math import log10

import pandas as pd
import plotly.graph_objects as go

from mercuric.accelerator import Accelerator
from mercuric.page import chart
from mercuric.page.chart import figure, hover_names, rounded
from mercuric.studies.evaluate.figures import DESIGN_NAMES

_MARKS = {"baseline": (chart.DENSE, "circle-open"), "mercury": (chart.MERCURY, "circle")}
_ROOM = 1.6
"""What a logarithmic axis leaves free beside the outermost mark."""


def roofline_points(layers: pd.DataFrame, accelerator: Accelerator) -> pd.DataFrame:
    """Where each layer stands under the roof.

    Args:
        layers: rows of an evaluation of one accelerator, batch and timing.
        accelerator: which one.

    Returns:
        columns ``layer``, ``design``, ``bound``, ``intensity`` (multiply-accumulates of the dense layer a
        byte from or to the DRAM), ``rate`` (the same a cycle of the latency), and ``buffer_rate`` (the most
        that the array's edge allows).
    """
    macs = layers["macs"]
    return layers[["layer", "design", "bound"]].assign(
        intensity=macs / (layers["count_dram"] * (accelerator.word_bits / 8)),
        rate=macs / layers["latency"],
        buffer_rate=macs / layers["buffer_cycles"],
    )


def roofline_chart(layers: pd.DataFrame, accelerator: Accelerator) -> go.Figure:
    """Multiply-accumulates a cycle against those a byte: a mark a layer, dense and MERCURY joined.

    Args:
        layers: rows of an evaluation of one accelerator, batch and timing.
        accelerator: which one.
    """
    points = roofline_points(layers, accelerator)
    picture = figure(500, "dense MACs a byte of DRAM", "dense MACs a cycle")
    picture.update_layout(hovermode="closest")
    _join(picture, points)
    sides = [design for design in DESIGN_NAMES if design in set(points["design"])]
    _add_buffer(picture, points[points["design"] == "baseline"])
    for design in sides:
        _add_marks(picture, points[points["design"] == design], design)
    _add_roof(picture, points, accelerator)
    return picture


def _join(picture: go.Figure, points: pd.DataFrame) -> None:
    x: list[float | None] = []
    y: list[float | None] = []
    for _, pair in points.groupby("layer", sort=False):
        x += [*rounded(pair["intensity"]), None]
        y += [*rounded(pair["rate"]), None]
    picture.add_scatter(
        x=x, y=y, mode="lines", line={"color": chart.GUIDE, "width": 1}, hoverinfo="skip", showlegend=False
    )


def _add_buffer(picture: go.Figure, dense: pd.DataFrame) -> None:
    """Layers differ in the words that they take from the buffer, so each has a ceiling of its own."""
    picture.add_scatter(
        x=rounded(dense["intensity"]), y=rounded(dense["buffer_rate"]), mode="markers",
        name="buffer, of each dense layer", customdata=hover_names(dense["layer"].tolist()),
        marker={"symbol": "line-ew", "size": 9, "line": {"width": 2, "color": chart.MAU}},
        hovertemplate="%{customdata}<br>the buffer allows %{y:.3~g} MACs a cycle<extra></extra>",
    )  # fmt: skip


def _add_marks(picture: go.Figure, points: pd.DataFrame, design: str) -> None:
    colour, symbol = _MARKS[design]
    named = zip(hover_names(points["layer"].tolist()), points["bound"], strict=True)
    picture.add_scatter(
        x=rounded(points["intensity"]), y=rounded(points["rate"]), mode="markers",
        name=DESIGN_NAMES[design], customdata=[[layer, limit] for layer, limit in named],
        marker={"color": colour, "symbol": symbol, "size": 7, "line": {"width": 1.5, "color": colour}},
        hovertemplate=f"%{{customdata[0]}}, {DESIGN_NAMES[design]}<br>%{{y:.3~g}} MACs a cycle, "
        "%{x:.3~g} a byte<br>most cycles: %{customdata[1]}<extra></extra>",
    )  # fmt: skip


def _add_roof(picture: go.Figure, points: pd.DataFrame, accelerator: Accelerator) -> None:
    """The PEs' ceiling, the DRAM's slope, and axes that hold both and all marks."""
    pes, words = float(accelerator.pes), accelerator.dram_words_per_cycle
    slope = None if words is None else words * accelerator.word_bits / 8
    low, high = points["intensity"].min() / _ROOM, points["intensity"].max() * _ROOM
    ridge = low if slope is None else pes / slope
    high = max(high, ridge * _ROOM)
    if slope is not None and low < ridge:
        _add_line(picture, [low, ridge], [low * slope, pes], f"DRAM, {words:g} words a cycle", "dash")
    _add_line(picture, [max(low, ridge), high], [pes, pes], f"{accelerator.pes} PEs", "solid")
    bottom = points["rate"].min() / _ROOM
    top = max(points["rate"].max(), points["buffer_rate"].max(), pes) * _ROOM
    for update, ends in ((picture.update_xaxes, (low, high)), (picture.update_yaxes, (bottom, top))):
        update(type="log", range=[log10(end) for end in ends], dtick="D2", tickformat="~g")


def _add_line(picture: go.Figure, x: list[float], y: list[float], name: str, dash: str) -> None:
    picture.add_scatter(
        x=rounded(x), y=rounded(y), mode="lines", name=name,
        line={"color": chart.MNU, "width": 2, "dash": dash}, hoverinfo="skip",
    )  # fmt: skip
