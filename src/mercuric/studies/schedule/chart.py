"""How does accuracy against seconds look, form by form?"""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from mercuric.page import chart
from mercuric.page.chart import plotly_text
from mercuric.studies.schedule.forms import DENSE, FORMS

_COLOURS = (*chart.COLOURS[:4], chart.LOSS, chart.EXACT, chart.ZERO_HIT)
_DASHES = ("solid", "dot")
_CLOSE = 0.1
"""Accuracies nearer than this are shown in tenths of a percent."""


def accuracy_chart(ranking: pd.DataFrame, shown: Mapping[str, str], seconds: float) -> go.Figure:
    """Means over seeds against the seconds that are filled, with their spread; dense's line is the bold one.

    Args:
        ranking: see :func:`~mercuric.studies.schedule.ranking.ranked`.
        shown: form to how it is named.
        seconds: of dense's whole schedule.
    """
    picture = chart.figure(560, "seconds of training", "test accuracy")
    for form, points in ranking.groupby("form", sort=False):
        name, ordered = str(form), points.sort_values("share")
        colour, dash = _line(name)
        picture.add_scatter(
            x=chart.rounded(seconds * ordered["share"]), y=ordered["accuracy"].round(6).tolist(),
            mode="lines+markers", name=plotly_text(shown[name]),
            line={"color": colour, "width": 3.5 if name == DENSE else 1.5, "dash": dash},
            marker={"size": 8, "color": colour},
            error_y={"array": ordered["spread"].fillna(0).round(6).tolist(), "thickness": 1.2},
            customdata=[[plotly_text(f"{shown[name]}, {100 * one:g} %")] for one in ordered["share"]],
            hovertemplate="%{customdata[0]}<br>%{x:.4g} s, %{y:.2%}<extra></extra>",
        )  # fmt: skip
    close = ranking["accuracy"].max() - ranking["accuracy"].min() < _CLOSE
    picture.update_yaxes(tickformat=".1%" if close else ".0%")
    picture.update_xaxes(showgrid=True, **chart.time_axis(seconds * ranking["share"]))
    picture.update_layout(hovermode="closest")
    return picture


def _line(form: str) -> tuple[str, str]:
    if form == DENSE:
        return chart.DENSE, "solid"
    place = [name for name in FORMS if name != DENSE].index(form)
    return _COLOURS[place % len(_COLOURS)], _DASHES[place // len(_COLOURS) % len(_DASHES)]
