"""How do accuracy and cost of narrowed networks look?"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from mercuric.page import chart
from mercuric.page.chart import plotly_text
from mercuric.studies.shrink.found import Found, is_original


def front_chart(found: Found, column: str, title: str) -> go.Figure:
    """Accuracy against one cost; the original and the uniform widths are named."""
    picture = chart.figure(420, title, "test accuracy")
    picture.update_layout(hovermode="closest")
    trained = [trial for trial in found.trials if trial["accuracy"] is not None]
    _add(
        picture, found, [t for t in trained if not t["front"]], column, "dominated", chart.DENSE, opacity=0.4
    )
    _add(picture, found, [t for t in trained if t["front"]], column, "front", chart.MERCURY, errors=True)
    uniform = [t for t in trained if t["uniform"]]
    _mark(
        picture,
        [t for t in uniform if not is_original(t)],
        column,
        "uniform width",
        "diamond-open",
        chart.MNU,
    )
    _mark(picture, list(filter(is_original, uniform)), column, "original", "star-open", chart.LOSS)
    picture.update_xaxes(tickformat="~s", showgrid=True)
    picture.update_yaxes(tickformat=".1%")
    return picture


def _add(
    picture: go.Figure, found: Found, trials: Sequence[dict[str, Any]], column: str, name: str, colour: str,
    opacity: float = 1, errors: bool = False,
) -> None:  # fmt: skip
    if not trials:
        return
    bars = {"type": "data", "array": [round(found.error(t), 5) for t in trials], "thickness": 1, "width": 3}
    picture.add_scatter(
        x=[trial[column] for trial in trials], y=[round(trial["accuracy"], 5) for trial in trials],
        mode="markers", name=name, marker={"size": 10, "color": colour, "opacity": opacity},
        error_y={**bars, "color": colour} if errors else None,
        customdata=[[trial["trial"], plotly_text(found.factors(trial))] for trial in trials],
        hovertemplate="trial %{customdata[0]}: %{customdata[1]}<br>%{x:.4s}, %{y:.2%}<extra></extra>",
    )  # fmt: skip


def _mark(
    picture: go.Figure, trials: Sequence[dict[str, Any]], column: str, name: str, symbol: str, colour: str
) -> None:
    if not trials:
        return
    picture.add_scatter(
        x=[trial[column] for trial in trials], y=[round(trial["accuracy"], 5) for trial in trials],
        mode="markers+text", name=name, textposition="bottom left",
        text=[name if is_original(trial) else trial["uniform"] for trial in trials],
        marker={"symbol": symbol, "size": 16, "color": colour, "line": {"width": 2}}, hoverinfo="skip",
    )  # fmt: skip
