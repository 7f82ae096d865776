"""How do LUTs and registers grow with the MCACHE, and which components take them?"""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from mercuric.accelerator.energy.virtex7 import RESOURCES
from mercuric.page import chart
from mercuric.page.chart import figure, plotly_text
from mercuric.studies.hardware.synthesis.tables import Circuits, Comparison, component_rows

_WHOSE = {"ours": ("ours", chart.MERCURY), "paper": ("paper", chart.DENSE)}
_COLOURS = (
    chart.MERCURY, chart.SIGNATURE, chart.MAU, chart.MNU, chart.EXACT, chart.ZERO_HIT, chart.LOSS,
    chart.DENSE,
)  # fmt: skip


def growth_chart(comparison: Comparison, resource: str) -> go.Figure:
    """A resource against sets or ways, ours and the paper's."""
    rows = comparison.rows[comparison.rows["figure"] == resource]
    picture = figure(340, "", RESOURCES[resource])
    for whose, (name, colour) in _WHOSE.items():
        if rows[whose].isna().all():
            continue
        picture.add_scatter(
            x=rows["design"].tolist(), y=rows[whose].tolist(), mode="lines+markers", name=name,
            line={"color": colour, "width": 2}, marker={"size": 8}, hovertemplate="%{y:,.0f}",
        )  # fmt: skip
    picture.update_yaxes(rangemode="tozero")
    picture.update_xaxes(type="category")
    return picture


def component_chart(circuits: Circuits, resource: str) -> go.Figure:
    """Which components take a resource, a bar a circuit."""
    rows = component_rows(circuits)
    names = [str(one["name"]) for one in circuits]
    picture = figure(420, "", RESOURCES[resource])
    for place, (component, taken) in enumerate(_by_component(rows, resource).items()):
        picture.add_bar(
            x=names, y=[taken.get(name, 0) for name in names], name=plotly_text(component),
            marker={"color": _COLOURS[place % len(_COLOURS)]},
            hovertemplate=f"{plotly_text(component)}: %{{y:,.0f}}<extra></extra>",
        )  # fmt: skip
    picture.update_layout(barmode="stack", hovermode="closest")
    picture.update_xaxes(type="category")
    return picture


def _by_component(rows: pd.DataFrame, resource: str) -> dict[str, dict[Any, Any]]:
    """Components that take some of a resource, those that take most first."""
    sums = rows.groupby("component")[resource].max().sort_values(ascending=False)
    return {
        str(name): rows[rows["component"] == name].set_index("design")[resource].to_dict()
        for name, most in sums.items()
        if most > 0
    }
