"""What did MERCURY do in each layer, as pictures? All take the rows of ``average_over_seeds``."""

import pandas as pd
import plotly.graph_objects as go

from mercuric.page import chart
from mercuric.page.chart import hover_names
from mercuric.page.layer_charts import BAR, cycle_chart, layer_figure

_FEW_LAYERS = 40


def _marker_size(layers: pd.DataFrame) -> int:
    return 11 if len(layers) <= _FEW_LAYERS else 6


def cycles_chart(layers: pd.DataFrame) -> go.Figure:
    """Baseline cycles beside MERCURY's products and signatures, paper timing; losing layers marked."""
    picture = cycle_chart(layers, "cycles, whole training")
    _mark_losing(picture, layers)
    return picture


def _mark_losing(picture: go.Figure, layers: pd.DataFrame) -> None:
    losing = layers[layers["loses"]]
    if losing.empty:
        return
    picture.add_scatter(
        x=[position + 0.02 + BAR / 2 for position in losing.index.tolist()],
        y=(losing["cycles_mercury"] + 0.045 * layers["cycles_mercury"].max()).tolist(),
        mode="markers",
        name="loses cycles",
        marker={"symbol": "triangle-down", "size": _marker_size(layers), "color": chart.LOSS},
        customdata=[
            [name, speedup]
            for name, speedup in zip(
                hover_names(losing["layer"].tolist()), losing["speedup"].tolist(), strict=True
            )
        ],
        hovertemplate="%{customdata[0]} loses: %{customdata[1]:.2f}x<extra></extra>",
    )


def speedup_chart(layers: pd.DataFrame) -> go.Figure:
    """Baseline cycles over MERCURY's in both timings, with a line at 1."""
    names = layers["layer"].tolist()
    picture, positions = layer_figure(names, "speed-up"), list(range(len(names)))
    both = layers[["speedup", "fair_speedup"]]
    picture.add_scatter(
        x=[x for position in positions for x in (position, position, None)],
        y=[y for pair in both.itertuples(index=False) for y in (*pair, None)],
        mode="lines",
        line={"color": chart.GUIDE, "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )
    outline = {"color": chart.MERCURY, "width": 2 if len(layers) <= _FEW_LAYERS else 1}
    for column, label, symbol in (
        ("speedup", "paper timing", "circle"),
        ("fair_speedup", "fair timing (pipelined baseline)", "diamond-open"),
    ):
        picture.add_scatter(
            x=positions,
            y=layers[column].round(4).tolist(),
            mode="markers",
            name=label,
            marker={"symbol": symbol, "size": _marker_size(layers), "color": chart.MERCURY, "line": outline},
            customdata=hover_names(names),
            hovertemplate=f"%{{customdata}}<br>{label}: %{{y:.2f}}x<extra></extra>",
        )
    picture.add_hrect(y0=0, y1=1, fillcolor=chart.LOSS, opacity=0.07, line_width=0, layer="below")
    picture.add_hline(y=1, line={"color": chart.LOSS, "width": 1.5, "dash": "dash"}, layer="below")
    picture.update_yaxes(ticksuffix="x", range=[0, 1.12 * max(1.2, float(both.max().max()))])
    return picture


def error_chart(layers: pd.DataFrame) -> go.Figure:
    """Relative error of each layer's output against the dense layer."""
    names = layers["layer"].tolist()
    picture = layer_figure(names, "relative output error")
    picture.add_bar(
        x=list(range(len(names))),
        y=layers["error"].round(5).tolist(),
        marker={"color": chart.MERCURY},
        customdata=hover_names(names),
        hovertemplate="%{customdata}<br>error %{y:.3f}<extra></extra>",
        showlegend=False,
    )
    picture.update_layout(bargap=0.35)
    picture.update_yaxes(rangemode="tozero")
    return picture
