"""How do HITs and cycles look, layer by layer?"""

import pandas as pd
import plotly.graph_objects as go

from mercuric.accelerator.dataflows.dot_product import COLUMN_PREFIXES, Timing
from mercuric.page import chart
from mercuric.page.chart import figure, hover_names, name_layers

BAR = 0.38
"""Width of one of two bars that stand side by side over a layer's name."""


def layer_figure(names: list[str], y_title: str) -> go.Figure:
    """An empty chart with the layers' names under positions 0, 1, ..."""
    picture = figure(330, "", y_title)
    picture.update_layout(hovermode="closest")
    name_layers(picture, names)
    return picture


def outcome_chart(layers: pd.DataFrame, similar: str, y_title: str) -> go.Figure:
    """Shares of HIT, MAU and MNU, zero vectors' hits apart; a bar sums to 1.

    Args:
        layers: ``layer``, and the shares ``zero_hit``, ``mau`` and ``mnu``.
        similar: the column of the share of HITs of other vectors.
        y_title: of what these are shares.
    """
    names = layers["layer"].tolist()
    picture = layer_figure(names, y_title)
    for column, label, colour in (
        (similar, "HIT, similar vector", chart.MERCURY),
        ("zero_hit", "HIT, zero vector", chart.ZERO_HIT),
        ("mau", "MAU, computed and kept", chart.MAU),
        ("mnu", "MNU, computed, set full", chart.MNU),
    ):
        picture.add_bar(
            x=list(range(len(names))), y=layers[column].round(6).tolist(), name=label,
            marker={"color": colour}, customdata=hover_names(names),
            hovertemplate=f"%{{customdata}}<br>{label}: %{{y:.1%}}<extra></extra>",
        )  # fmt: skip
    picture.update_layout(barmode="stack", bargap=0.2)
    picture.update_yaxes(tickformat=".0%", range=[0, 1])
    return picture


def timed_cycles(layers: pd.DataFrame, timing: Timing) -> go.Figure:
    """:func:`cycle_chart` in a timing.

    Args:
        layers: ``Simulation.layers``.
        timing: which.
    """
    prefix = COLUMN_PREFIXES[timing]
    cycles = {f"cycles_{what}": layers[f"{prefix}_{what}"] for what in ("baseline", "mercury", "signature")}
    return cycle_chart(layers[["layer"]].assign(**cycles), f"cycles, {timing} timing")


def cycle_chart(layers: pd.DataFrame, y_title: str) -> go.Figure:
    """Baseline cycles beside MERCURY's products and signatures, paper timing.

    Args:
        layers: ``layer``, ``cycles_baseline``, ``cycles_mercury``, ``cycles_signature``.
        y_title: what was counted.
    """
    names = layers["layer"].tolist()
    picture = layer_figure(names, y_title)
    signature = layers["cycles_signature"]
    products = layers["cycles_mercury"] - signature
    for label, height, base, offset, colour in (
        ("baseline", layers["cycles_baseline"], 0 * signature, -BAR, chart.DENSE),
        ("MERCURY, products", products, 0 * signature, 0.02, chart.MERCURY),
        ("MERCURY, signatures", signature, products, 0.02, chart.SIGNATURE),
    ):
        picture.add_bar(
            x=list(range(len(names))), y=height.tolist(), base=base.tolist(), offset=offset, width=BAR,
            name=label, marker={"color": colour},
            customdata=[list(pair) for pair in zip(hover_names(names), height.tolist(), strict=True)],
            hovertemplate=f"%{{customdata[0]}}<br>{label}: %{{customdata[1]:.3s}} cycles<extra></extra>",
        )  # fmt: skip
    picture.update_layout(barmode="overlay")
    picture.update_yaxes(tickformat="~s", rangemode="tozero")
    return picture
