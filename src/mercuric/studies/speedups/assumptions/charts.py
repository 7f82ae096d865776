"""How far apart do the assumptions spread each mean, and where is the paper's?"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from mercuric.page import chart
from mercuric.page.chart import figure, plotly_text, rounded
from mercuric.studies.speedups.assumptions.combined import NEAR
from mercuric.studies.speedups.study import PUBLISHED_MEAN

_HALF = 0.34
"""Of a strip's height; strips are 1 apart."""
_TICKS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12]
_BAND = "rgba(18,148,106,0.16)"


def spread_chart(
    tables: Mapping[str, pd.DataFrame], best: Mapping[str, Any], own: Mapping[str, Any]
) -> go.Figure:
    """A strip a dataflow: each combination a dot, the paper's mean a line in its band.

    Args:
        tables: of each dataflow, with ``mean`` and the assumptions that say something of it.
        best: the means of the combination that is nearest to all of the paper's.
        own: those of this package's own assumptions.
    """
    picture = figure(460, "mean speed-up of the networks", "")
    dataflows = list(tables)
    _band(picture, dataflows)
    inside, outside = _dots(tables)
    for name, dots, colour in (
        ("a combination", outside, chart.DENSE), ("within 15 % of its mean", inside, chart.MERCURY),
    ):  # fmt: skip
        picture.add_scatter(
            x=rounded(dots["mean"]), y=rounded(dots["y"]), mode="markers", name=name,
            marker={"size": 5, "color": colour, "opacity": 0.45},
            customdata=[[plotly_text(words)] for words in dots["words"]],
            hovertemplate="%{x:.2f}x<br>%{customdata[0]}<extra></extra>",
        )  # fmt: skip
    _marks(picture, "the paper", PUBLISHED_MEAN, dataflows, {"symbol": "line-ns", "size": 46}, chart.EXACT)
    _marks(picture, "nearest to all three", best, dataflows, {"symbol": "star", "size": 16}, chart.MAU)
    _marks(picture, "Mercuric's own", own, dataflows, {"symbol": "diamond", "size": 11}, chart.LOSS)
    picture.update_xaxes(
        type="log", showgrid=True, tickvals=_TICKS, ticktext=[f"{tick:g}x" for tick in _TICKS]
    )
    names = [f"{dataflow} stationary" for dataflow in dataflows]
    picture.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.45, -0.55], showgrid=False
    )
    picture.update_layout(hovermode="closest")
    return picture


def _dots(tables: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Those within the band, and the others, scattered over the height of their strip."""
    drawn = np.random.default_rng(0)
    found = []
    for place, (dataflow, table) in enumerate(tables.items()):
        apart = (table["mean"] / PUBLISHED_MEAN[dataflow] - 1).abs()
        found.append(
            pd.DataFrame(
                {
                    "mean": table["mean"], "y": place + drawn.uniform(-_HALF, _HALF, len(table)),
                    "near": apart <= NEAR, "words": _words(table),
                }
            )
        )  # fmt: skip
    dots = pd.concat(found, ignore_index=True)
    return dots[dots["near"]], dots[~dots["near"]]


def _words(table: pd.DataFrame) -> list[str]:
    """What is assumed, as one reads it over a dot: the columns of names alone."""
    named = table.select_dtypes(exclude="number")
    return [", ".join(map(str, row)) for row in named.itertuples(index=False)]


def _band(picture: go.Figure, dataflows: list[str]) -> None:
    for place, dataflow in enumerate(dataflows):
        mean = PUBLISHED_MEAN[dataflow]
        low, high, top, bottom = mean * (1 - NEAR), mean * (1 + NEAR), place - 0.42, place + 0.42
        picture.add_scatter(
            x=rounded([low, high, high, low]), y=[top, top, bottom, bottom], fill="toself", fillcolor=_BAND,
            mode="none", hoverinfo="skip", showlegend=place == 0, name="within 15 % of the paper",
            legendgroup="band",
        )  # fmt: skip


def _marks(
    picture: go.Figure,
    name: str,
    means: Mapping[str, Any],
    dataflows: list[str],
    marker: dict[str, Any],
    colour: str,
) -> None:
    line = {"width": 3 if marker["symbol"] == "line-ns" else 1, "color": colour}
    if marker["symbol"] != "line-ns":
        line["color"] = "rgba(0,0,0,0.65)"
    picture.add_scatter(
        x=rounded(means[dataflow] for dataflow in dataflows), y=list(range(len(dataflows))),
        mode="markers", name=name, marker={**marker, "color": colour, "line": line},
        hovertemplate=f"{name}: %{{x:.2f}}x<extra></extra>",
    )  # fmt: skip
