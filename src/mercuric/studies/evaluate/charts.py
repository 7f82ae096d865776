"""How do energy, time and area look? All take the tables of an ``Evaluation``."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from mercuric.accelerator.energy.energies import LEVELS
from mercuric.page import chart
from mercuric.page.chart import figure, hover_names, plotly_text, rounded
from mercuric.page.layer_charts import BAR, layer_figure
from mercuric.studies.evaluate.figures import (
    ACCELERATOR_COLOURS,
    DESIGN_NAMES,
    LEVEL_COLOURS,
    LEVEL_NAMES,
    energy,
)

_TWO_ROWS = 64
"""Pixels over a chart whose legend takes two rows."""
_DASHES = {"baseline": "dash", "mercury": "solid"}
_SYMBOLS = {"baseline": "circle-open", "mercury": "circle"}


def level_chart(totals: pd.DataFrame, unit: str) -> go.Figure:
    """Energy an image by level: a stacked bar for each accelerator, batch and design."""
    picture = figure(380, "", f"energy of one image ({unit})")
    picture.update_layout(hovermode="closest")
    several = totals["batch"].nunique() > 1
    accelerators = hover_names(totals["accelerator"].tolist())
    bars = [
        f"{DESIGN_NAMES[design]}<br>batch {batch}" if several else DESIGN_NAMES[design]
        for batch, design in zip(totals["batch"], totals["design"], strict=True)
    ]
    for level in LEVELS:
        values = totals[f"energy_{level}"] / totals["batch"]
        if not values.any():
            continue
        picture.add_bar(
            x=[accelerators, bars], y=rounded(values), name=LEVEL_NAMES[level],
            marker={"color": LEVEL_COLOURS[level]},
            customdata=[
                [f"{name}, {bar.replace('<br>', ', ')}", plotly_text(energy(value, unit))]
                for name, bar, value in zip(accelerators, bars, values, strict=True)
            ],
            hovertemplate=f"%{{customdata[0]}}<br>{LEVEL_NAMES[level]}: %{{customdata[1]}}<extra></extra>",
        )  # fmt: skip
    picture.update_layout(barmode="stack", bargap=0.25)
    picture.update_yaxes(tickformat="~s", rangemode="tozero")
    return picture


def layer_chart(layers: pd.DataFrame, column: str, title: str) -> go.Figure:
    """One figure a layer of one accelerator and batch, each design's bars side by side."""
    names = list(dict.fromkeys(layers["layer"]))
    picture = layer_figure(names, title)
    picture.update_layout(barmode="overlay")
    designs = [design for design in DESIGN_NAMES if design in set(layers["design"])]
    for place, design in enumerate(designs):
        values = layers[layers["design"] == design].set_index("layer")[column].loc[names]
        colour = chart.DENSE if design == "baseline" else chart.MERCURY
        picture.add_bar(
            x=list(range(len(names))), y=rounded(values), name=DESIGN_NAMES[design],
            offset=-BAR if place == 0 else 0.02, width=BAR, marker={"color": colour},
            customdata=hover_names(names),
            hovertemplate=f"%{{customdata}}<br>{DESIGN_NAMES[design]}: %{{y:.3s}}<extra></extra>",
        )  # fmt: skip
    picture.update_yaxes(tickformat="~s", rangemode="tozero")
    return picture


def batch_chart(totals: pd.DataFrame, column: str, title: str) -> go.Figure:
    """One figure an image against the batch: a line for each accelerator and design."""
    picture = figure(350, "images in the batch", title)
    picture.update_layout(margin={"t": _TWO_ROWS})
    for name, colour in _coloured(totals):
        for design, rows in totals[totals["accelerator"] == name].groupby("design", sort=False):
            rows = rows.sort_values("batch")
            picture.add_scatter(
                x=rows["batch"].tolist(), y=rounded(rows[column] / rows["batch"]), mode="lines+markers",
                name=_named(name, str(design)), marker={"size": 8},
                line={"color": colour, "width": 2.5, "dash": _DASHES[str(design)]},
                hovertemplate="%{y:.3s}",
            )  # fmt: skip
    batches = sorted(totals["batch"].unique().tolist())
    picture.update_xaxes(type="log", tickvals=batches, ticktext=[str(batch) for batch in batches])
    picture.update_yaxes(tickformat="~s", rangemode="tozero")
    return picture


def trade_chart(totals: pd.DataFrame, unit: str) -> go.Figure:
    """Energy against latency an image: a point for each accelerator, batch and design."""
    picture = figure(400, "latency of one image (clock cycles)", f"energy of one image ({unit})")
    picture.update_layout(hovermode="closest", margin={"t": _TWO_ROWS})
    for name, colour in _coloured(totals):
        for design, rows in totals[totals["accelerator"] == name].groupby("design", sort=False):
            picture.add_scatter(
                x=rounded(rows["latency"] / rows["batch"]), y=rounded(rows["energy"] / rows["batch"]),
                mode="markers", name=_named(name, str(design)), customdata=rows["batch"].tolist(),
                marker={
                    "size": 12, "color": colour, "symbol": _SYMBOLS[str(design)],
                    "line": {"width": 2, "color": colour},
                },
                hovertemplate=f"{_named(name, str(design))}, batch %{{customdata}}<br>%{{x:.3s}} cycles, "
                "%{y:.3s}<extra></extra>",
            )  # fmt: skip
    picture.update_xaxes(tickformat="~s", rangemode="tozero", showgrid=True)
    picture.update_yaxes(tickformat="~s", rangemode="tozero")
    return picture


def area_chart(areas: dict[str, dict[str, float]], added: Sequence[str]) -> go.Figure:
    """A stacked bar of parts for each accelerator; those that MERCURY adds in colour."""
    picture = figure(350, "", "area (mm2)")
    picture.update_layout(hovermode="closest", barmode="stack", bargap=0.4, margin={"t": _TWO_ROWS})
    names = hover_names(list(areas))
    parts = list(next(iter(areas.values())))
    greys = ("#6c737d", chart.DENSE, "#b6bbc3")
    base = [part for part in parts if part not in added]
    colours = [*ACCELERATOR_COLOURS, *ACCELERATOR_COLOURS]
    for part in parts:
        shade = greys[base.index(part) % len(greys)] if part in base else colours[list(added).index(part)]
        picture.add_bar(
            x=names, y=[round(area[part], 6) for area in areas.values()], name=part,
            marker={"color": shade},
            hovertemplate=f"%{{x}}<br>{part}: %{{y:.4f}} mm2<extra></extra>",
        )  # fmt: skip
    picture.update_yaxes(rangemode="tozero")
    return picture


def _coloured(totals: pd.DataFrame) -> list[tuple[str, str]]:
    names = list(dict.fromkeys(totals["accelerator"]))
    return [(name, ACCELERATOR_COLOURS[at % len(ACCELERATOR_COLOURS)]) for at, name in enumerate(names)]


def _named(accelerator: str, design: str) -> str:
    return plotly_text(f"{accelerator}, {DESIGN_NAMES[design]}")
