"""What bought a training more: directions, or a shorter dense schedule?"""

from math import isfinite
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from mercuric.page import chart, formats
from mercuric.page.chart import plotly_text
from mercuric.page.parts import Card
from mercuric.studies.front.forms import DENSE
from mercuric.studies.front.verdict import standing

_CLOSE = 0.1
"""Accuracies nearer than this are shown in tenths of a percent."""


def training_headline(table: pd.DataFrame) -> str:
    """How many forms beat dense training of the same seconds, of the rows over seeds."""
    others = table[table["group"] != DENSE]
    judged = others[others["gain"].notna()]
    if judged.empty:
        return "No training with directions took as long as a dense one."
    best = judged.iloc[int(judged["gain"].argmax())]
    ahead = sum(standing(row) == "ahead" for _, row in judged.iterrows())
    certainty = "(one seed)" if judged["seeds"].max() == 1 else "by more than the spread over seeds"
    return (
        f"{ahead} of {formats.number_of(len(judged), 'training')} with directions beat dense training of the "
        f"same seconds {certainty}; {best['form']}: {_points(best)}."
    )


def training_cards(table: pd.DataFrame) -> list[Card]:
    """The most accurate dense training, and each form's difference at the same seconds."""
    dense = table[table["group"] == DENSE]
    cards = []
    if not dense.empty:
        best = dense.iloc[int(dense["accuracy"].argmax())]
        beside = f"{best['setting']}, {formats.duration(best['seconds'])}"
        cards.append(Card("Dense, best", formats.percent(best["accuracy"]), beside))
    for _, row in table[table["group"] != DENSE].iterrows():
        beside = f"{formats.percent(row['accuracy'])} in {formats.duration(row['seconds'])}"
        if isfinite(row["gain"]):
            beside += f"; dense in these {formats.percent(row['dense_accuracy'])}"
        cards.append(Card(row["form"], _points(row), beside, bad=bool(row["gain"] < 0)))
    return cards


def training_chart(table: pd.DataFrame) -> go.Figure:
    """Accuracy against seconds, means over seeds with their spread; dense schedules are the line to beat."""
    picture = chart.figure(480, "seconds of training", "test accuracy")
    for group, points in table.groupby("group", sort=False):
        ordered, dense = points.sort_values("seconds"), group == DENSE
        picture.add_scatter(
            x=ordered["seconds"].round(3).tolist(), y=ordered["accuracy"].round(6).tolist(),
            mode="lines+markers" if dense else "markers",
            name="dense, shorter and shorter schedules" if dense else plotly_text(str(group)),
            line={"color": chart.DENSE, "width": 2},
            marker={
                "size": 9 if dense else 12, "symbol": "circle" if dense else "diamond",
                "color": chart.DENSE if dense else chart.MERCURY,
            },
            error_y={"array": ordered["spread"].fillna(0).round(6).tolist(), "thickness": 1.2},
            customdata=[[plotly_text(str(form))] for form in ordered["form"]],
            hovertemplate="%{customdata[0]}<br>%{x:.4g} s, %{y:.2%}<extra></extra>",
        )  # fmt: skip
    close = table["accuracy"].max() - table["accuracy"].min() < _CLOSE
    picture.update_yaxes(tickformat=".1%" if close else ".0%", minallowed=0, maxallowed=1)
    picture.update_xaxes(showgrid=True, **chart.time_axis(table["seconds"]))
    picture.update_layout(hovermode="closest")
    return picture


def training_methods(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """How the table and the chart were made, of a row a training."""
    seeds = formats.number_of(rows["seed"].nunique(), "seed")
    spread = "; bars and spreads are standard deviations over them" if rows["seed"].nunique() > 1 else ""
    return [
        (
            "Training",
            "A step of each form in turn, so that all see the machine in the same state; each with its whole "
            f"one-cycle schedule. {seeds}, one after another{spread}. Seconds are of training steps, "
            "measuring and estimating included, tests left out; test images were not trained on.",
        ),
        (
            "Dense in the same seconds",
            "On a straight line between the two dense schedules of the same seed that took fewer and more "
            "seconds; beyond the longest one its accuracy. Up to a tenth below the shortest one its "
            "accuracy, though it had more time; below that there is none.",
        ),
        ("Dense", "PyTorch's own layers, channels_last; autocast where bfloat16 was asked for."),
        (
            "fast()",
            "Outputs are computed in their first principal directions, for every vector, where a layer was "
            "measured to be faster than dense; the other layers are dense. Nothing is reused.",
        ),
    ]


def _points(row: "pd.Series[Any]") -> str:
    if not isfinite(row["gain"]):
        return formats.MISSING
    return f"{100 * row['gain']:+.2f} points".replace("-", "\N{MINUS SIGN}")
