"""How does a sweep look? Heat maps over two fields (Fig. 16), layers by combination, and split cycles."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from mercuric.accelerator.dataflows.dot_product import COLUMN_PREFIXES, Timing
from mercuric.page import chart, formats
from mercuric.page.chart import figure, hover_names, name_layers, plotly_text

_PARTS = (
    ("product", "products", chart.MERCURY),
    ("signature", "signatures", chart.SIGNATURE),
    ("stall", "stalls", chart.LOSS),
    ("wait", "waiting for DRAM or link", chart.DENSE),
)
_GAINS = [[0.0, chart.LOSS], [0.5, "#f4f1ea"], [1.0, chart.MERCURY]]
"""Slower than dense in red, faster in blue, the same in neither."""


def field_text(value: object) -> str:
    """A field's value as a person writes it; no number of entries is unlimited."""
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return "unlimited"
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def label(row: "pd.Series[Any]", fields: list[str]) -> str:
    """``weight, asynchronous``, or with what is no word named: ``versions 4``, ``mac_unit true``."""
    return ", ".join(
        row[name] if isinstance(row[name], str) else f"{name} {field_text(row[name])}" for name in fields
    )


def grid_chart(totals: pd.DataFrame, down: str, across: str, timing: str) -> go.Figure:
    """Fig. 16: the speed-up at each pair of values, as a heat map with its figures in it."""
    rows, columns = (list(dict.fromkeys(map(field_text, totals[name]))) for name in (down, across))
    cells = {
        (field_text(row[down]), field_text(row[across])): float(row[f"{timing}_speedup"])
        for _, row in totals.iterrows()
    }
    values = [[cells.get((one, other)) for other in columns] for one in rows]
    picture = figure(130 + 44 * len(rows), across.replace("_", " "), down.replace("_", " "))
    picture.add_heatmap(
        x=columns, y=rows, z=values, **_scale(cells.values()), xgap=2, ygap=2,
        text=[[formats.ratio(value) for value in line] for line in values], texttemplate="%{text}",
        hovertemplate=f"{across} %{{x}}, {down} %{{y}}: %{{z:.3f}}x<extra></extra>",
    )  # fmt: skip
    picture.update_xaxes(type="category")
    picture.update_yaxes(type="category", autorange="reversed", showgrid=False)
    picture.update_layout(hovermode="closest")
    return picture


def line_chart(totals: pd.DataFrame, field: str) -> go.Figure:
    """The speed-up of each network against one field's values; solid paper timing, dashed fair."""
    picture = figure(340, field.replace("_", " "), "speed-up")
    for place, (model, rows) in enumerate(totals.groupby("model", sort=False)):
        for timing, dash in (("paper", "solid"), ("fair", "dot")):
            picture.add_scatter(
                x=[field_text(value) for value in rows[field]],
                y=rows[f"{timing}_speedup"].round(5).tolist(),
                mode="lines+markers",
                name=plotly_text(f"{model}, {timing}"),
                line={"color": chart.COLOURS[place % len(chart.COLOURS)], "width": 2, "dash": dash},
                hovertemplate="%{y:.3f}x",
            )
    picture.add_hline(y=1, line={"color": chart.GUIDE, "dash": "dash"})
    picture.update_xaxes(type="category")
    return picture


def front_chart(totals: pd.DataFrame, fields: list[str], timing: str, spent: str, title: str) -> go.Figure:
    """What is spent, upwards, against the speed-up, to the right; a line joins the last field's values.

    Args:
        totals: a row a network and combination.
        fields: those that vary.
        timing: of the speed-up.
        spent: the column that goes upwards.
        title: what it is.
    """
    *others, last = fields
    picture = figure(380, f"speed-up, {timing} timing", title)
    for keys, rows in totals.groupby(["model", *others], sort=False, dropna=False):
        picture.add_scatter(
            x=rows[f"{timing}_speedup"].round(5).tolist(),
            y=rows[spent].round(5).tolist(),
            mode="lines+markers+text",
            name=plotly_text(", ".join(map(field_text, keys))),
            text=[field_text(value) for value in rows[last]],
            textposition="top center",
            hovertemplate=f"{last} %{{text}}: %{{x:.3f}}x, %{{y:.3f}}",
        )
    picture.add_vline(x=1, line={"color": chart.GUIDE, "dash": "dash"})
    picture.update_layout(hovermode="closest")
    return picture


def layer_chart(layers: pd.DataFrame, fields: list[str], timing: Timing) -> go.Figure:
    """Layer by combination: the speed-up of one network's every layer as a heat map."""
    prefix = COLUMN_PREFIXES[timing]
    names = list(dict.fromkeys(layers["layer"]))
    rows: dict[str, dict[str, float]] = {}
    for _, layer in layers.iterrows():
        mercury = layer[f"{prefix}_mercury"]
        ratio = float(layer[f"{prefix}_baseline"] / mercury) if mercury else 1.0
        rows.setdefault(label(layer, fields), {})[layer["layer"]] = ratio
    values = [[row.get(name) for name in names] for row in rows.values()]
    picture = figure(140 + 26 * len(rows), "", "")
    picture.add_heatmap(
        x=list(range(len(names))), y=list(map(plotly_text, rows)), z=values, xgap=1, ygap=1,
        **_scale([ratio for row in rows.values() for ratio in row.values()]),
        customdata=[hover_names(names)] * len(rows),
        hovertemplate="%{customdata}<br>%{y}: %{z:.2f}x<extra></extra>",
    )  # fmt: skip
    name_layers(picture, names)
    picture.update_yaxes(type="category", autorange="reversed", showgrid=False)
    picture.update_layout(hovermode="closest")
    return picture


def split_chart(totals: pd.DataFrame, fields: list[str], timing: str) -> go.Figure:
    """What MERCURY's cycles go into, over the baseline's: products, signatures, stalls."""
    names = [
        f"{row['model']}<br>{plotly_text(label(row, fields))}" if totals["model"].nunique() > 1
        else plotly_text(label(row, fields))
        for _, row in totals.iterrows()
    ]  # fmt: skip
    picture = figure(360, "", "cycles over the baseline's")
    for part, name, colour in _PARTS:
        if f"{timing}_{part}" not in totals:
            continue
        shares = totals[f"{timing}_{part}"] / totals[f"{timing}_baseline"]
        picture.add_bar(
            x=names, y=shares.round(5).tolist(), name=name, marker={"color": colour},
            hovertemplate=f"{name}: %{{y:.1%}}<extra></extra>",
        )  # fmt: skip
    picture.add_hline(y=1, line={"color": chart.GUIDE, "dash": "dash"})
    picture.update_layout(barmode="stack")
    picture.update_yaxes(tickformat=".0%", rangemode="tozero")
    picture.update_xaxes(tickangle=-40, type="category")
    return picture


def _scale(ratios: Iterable[float | None]) -> dict[str, Any]:
    """Colours about 1, as far to either side as the figures go."""
    known = [ratio for ratio in ratios if ratio is not None]
    reach = max(0.1, *(abs(ratio - 1) for ratio in known)) if known else 0.1
    reach = min(reach, 1.0)
    return {
        "zmin": 1 - reach,
        "zmax": 1 + reach,
        "colorscale": _GAINS,
        "colorbar": {"ticksuffix": "x", "thickness": 12, "outlinewidth": 0},
    }
