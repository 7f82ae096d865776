"""How does accuracy against seconds look, form by form?"""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from mercuric.page import chart
from mercuric.page.chart import plotly_text
from mercuric.studies.schedule import texts
from mercuric.studies.schedule.forms import DENSE, FORMS

_COLOURS = (*chart.COLOURS[:4], chart.LOSS, chart.EXACT, chart.ZERO_HIT)
_DASHES = ("solid", "dot")
_CLOSE = 0.1
"""Accuracies nearer than this are shown in tenths of a percent."""
_APART = 1.012
"""From form to form: side by side, spreads can be told apart."""


def accuracy_chart(ranking: pd.DataFrame, shown: Mapping[str, str], seconds: float) -> go.Figure:
    """Means over seeds against the seconds that are filled, with their spread; dense's line is the bold one.

    Args:
        ranking: see :func:`~mercuric.studies.schedule.ranking.ranked`.
        shown: form to how it is named.
        seconds: of dense's whole schedule.
    """
    picture = chart.figure(560, "seconds of training", "test accuracy")
    groups = ranking.groupby("form", sort=False)
    for place, (form, points) in enumerate(groups):
        name, ordered = str(form), points.sort_values("share")
        aside = _APART ** (place - (len(groups) - 1) / 2)
        colour, dash = _line(name)
        picture.add_scatter(
            x=chart.rounded(aside * seconds * ordered["share"]), y=ordered["accuracy"].round(6).tolist(),
            mode="lines+markers", name=plotly_text(shown[name]),
            line={"color": colour, "width": 3.5 if name == DENSE else 1.5, "dash": dash},
            marker={"size": 8, "color": colour},
            error_y={"array": ordered["spread"].fillna(0).round(6).tolist(), "thickness": 1.2},
            customdata=[[plotly_text(shown[name]), _filled(seconds, one)] for one in ordered["share"]],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}, %{y:.2%}<extra></extra>",
        )  # fmt: skip
    close = ranking["accuracy"].max() - ranking["accuracy"].min() < _CLOSE
    picture.update_yaxes(tickformat=".1%" if close else ".0%")
    shares = sorted(ranking["share"].unique())
    picture.update_xaxes(
        showgrid=True,
        **chart.time_axis(seconds * ranking["share"]),
        tickvals=[seconds * one for one in shares],
        ticktext=[_filled(seconds, one) for one in shares],
    )
    picture.update_layout(hovermode="closest")
    return picture


def _filled(seconds: float, share: float) -> str:
    return f"{seconds * share:.3g} s ({texts.share(share)})"


def _line(form: str) -> tuple[str, str]:
    if form == DENSE:
        return chart.DENSE, "solid"
    place = [name for name in FORMS if name != DENSE].index(form)
    return _COLOURS[place % len(_COLOURS)], _DASHES[place // len(_COLOURS) % len(_DASHES)]
