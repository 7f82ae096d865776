"""What did MERCURY do in each layer, as pictures? All take the rows of ``average_over_seeds``."""

import pandas as pd
import plotly.graph_objects as go

from mercuric.page import chart
from mercuric.page.chart import figure, hover_names, name_layers

_SHARES = (
    ("similar_hit", "HIT, similar vector", chart.MERCURY),
    ("zero_hit", "HIT, zero vector", chart.ZERO_HIT),
    ("mau", "MAU, computed and kept", chart.MAU),
    ("mnu", "MNU, computed, set full", chart.MNU),
)
_BAR = 0.38
_FEW_LAYERS = 40


def _chart(layers: pd.DataFrame, y_title: str) -> tuple[go.Figure, list[int], list[str]]:
    names = layers["layer"].tolist()
    picture = figure(330, "", y_title)
    picture.update_layout(hovermode="closest")
    name_layers(picture, names)
    return picture, list(range(len(names))), hover_names(names)


def _marker_size(layers: pd.DataFrame) -> int:
    return 11 if len(layers) <= _FEW_LAYERS else 6


def hitmap_chart(layers: pd.DataFrame) -> go.Figure:
    """Shares of HIT, MAU and MNU, zero vectors' hits apart; a bar sums to 1."""
    picture, positions, names = _chart(layers, "share of input vectors")
    for column, label, colour in _SHARES:
        picture.add_bar(
            x=positions,
            y=layers[column].round(6).tolist(),
            name=label,
            marker={"color": colour},
            customdata=names,
            hovertemplate=f"%{{customdata}}<br>{label}: %{{y:.1%}}<extra></extra>",
        )
    picture.update_layout(barmode="stack", bargap=0.2)
    picture.update_yaxes(tickformat=".0%", range=[0, 1])
    return picture


def cycles_chart(layers: pd.DataFrame) -> go.Figure:
    """Baseline cycles beside MERCURY's products and signatures, paper timing; losing layers marked."""
    picture, positions, names = _chart(layers, "cycles, whole training")
    signature = layers["cycles_signature"]
    products = layers["cycles_mercury"] - signature
    bars = (
        ("baseline", layers["cycles_baseline"], 0 * signature, -_BAR, chart.DENSE),
        ("MERCURY, products", products, 0 * signature, 0.02, chart.MERCURY),
        ("MERCURY, signatures", signature, products, 0.02, chart.SIGNATURE),
    )
    for label, height, base, offset, colour in bars:
        picture.add_bar(
            x=positions,
            y=height.tolist(),
            base=base.tolist(),
            offset=offset,
            width=_BAR,
            name=label,
            marker={"color": colour},
            customdata=[[name, value] for name, value in zip(names, height.tolist(), strict=True)],
            hovertemplate=f"%{{customdata[0]}}<br>{label}: %{{customdata[1]:.3s}} cycles<extra></extra>",
        )
    _mark_losing(picture, layers)
    picture.update_layout(barmode="overlay")
    picture.update_yaxes(tickformat="~s", rangemode="tozero")
    return picture


def _mark_losing(picture: go.Figure, layers: pd.DataFrame) -> None:
    losing = layers[layers["loses"]]
    if losing.empty:
        return
    picture.add_scatter(
        x=[position + 0.02 + _BAR / 2 for position in losing.index.tolist()],
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
    picture, positions, names = _chart(layers, "speed-up")
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
            customdata=names,
            hovertemplate=f"%{{customdata}}<br>{label}: %{{y:.2f}}x<extra></extra>",
        )
    picture.add_hrect(y0=0, y1=1, fillcolor=chart.LOSS, opacity=0.07, line_width=0, layer="below")
    picture.add_hline(y=1, line={"color": chart.LOSS, "width": 1.5, "dash": "dash"}, layer="below")
    picture.update_yaxes(ticksuffix="x", range=[0, 1.12 * max(1.2, float(both.max().max()))])
    return picture


def error_chart(layers: pd.DataFrame) -> go.Figure:
    """Relative error of each layer's output against the dense layer."""
    picture, positions, names = _chart(layers, "relative output error")
    picture.add_bar(
        x=positions,
        y=layers["error"].round(5).tolist(),
        marker={"color": chart.MERCURY},
        customdata=names,
        hovertemplate="%{customdata}<br>error %{y:.3f}<extra></extra>",
        showlegend=False,
    )
    picture.update_layout(bargap=0.35)
    picture.update_yaxes(rangemode="tozero")
    return picture
