"""How does similarity look? The paper's Figs. 1, 3, 13 and 15 as charts."""

import pandas as pd
import plotly.graph_objects as go

from mercuric.page import chart
from mercuric.page.chart import figure, hover_names
from mercuric.page.layer_charts import BAR, layer_figure, outcome_chart
from mercuric.studies.similarity.training import Trained, scores

GRADIENT = "#9a6fb8"
GRADIENT_ZERO = "#d5bfe3"
_METHOD_COLOURS = {"RPQ": chart.MERCURY, "Bloom filter": chart.LOSS}


def similarity_chart(layers: pd.DataFrame) -> go.Figure:
    """Fig. 1: similar input vectors beside similar gradient vectors, zero vectors on top of them."""
    names = _names(layers)
    picture = layer_figure(names, "share of vectors")
    sides = (
        ("forward", "input vectors", chart.MERCURY, chart.ZERO_HIT, -BAR),
        ("input_gradient", "gradient vectors", GRADIENT, GRADIENT_ZERO, 0.02),
    )
    for product, label, colour, zero_colour, offset in sides:
        rows = layers[layers["product"] == product].set_index("layer").reindex(names)
        if rows["vectors"].isna().all():
            continue
        similar, zero = (rows[column].fillna(0).round(5) for column in ("similar", "zero_hit"))
        for heights, base, what, shade in (
            (similar, 0 * similar, f"similar {label}", colour),
            (zero, similar, f"zero {label}", zero_colour),
        ):
            if what.startswith("zero") and not zero.any():
                continue
            picture.add_bar(
                x=list(range(len(names))), y=heights.tolist(), base=base.tolist(), offset=offset, width=BAR,
                name=what, marker={"color": shade},
                customdata=[
                    [name, value] for name, value in zip(hover_names(names), heights.tolist(), strict=True)
                ],
                hovertemplate=f"%{{customdata[0]}}<br>{what}: %{{customdata[1]:.1%}}<extra></extra>",
            )  # fmt: skip
    picture.update_layout(barmode="overlay")
    picture.update_yaxes(tickformat=".0%", range=[0, 1])
    return picture


def product_chart(layers: pd.DataFrame, product: str) -> go.Figure:
    """Fig. 15a: HIT, MAU and MNU of one product's vectors; a bar sums to 1."""
    rows = layers[layers["product"] == product].set_index("layer")
    names = [name for name in _names(layers) if name in rows.index]
    return outcome_chart(rows.loc[names].reset_index(), "similar", "share of vectors")


def unique_chart(channels: pd.DataFrame) -> go.Figure:
    """Fig. 15c: distinct signatures in one channel of one image: all channels' range and their mean."""
    rows = channels[channels["product"] == "forward"]
    names = _names(rows)
    groups = rows.groupby("layer", sort=False)
    mean, low, high, vectors = (
        groups["unique"].mean().loc[names],
        groups["unique"].min().loc[names],
        groups["unique"].max().loc[names],
        groups["vectors"].mean().loc[names],
    )
    picture = layer_figure(names, "vectors in a channel")
    picture.add_scatter(
        x=list(range(len(names))), y=vectors.tolist(), mode="markers", name="all vectors",
        marker={"symbol": "line-ew", "size": 18, "line": {"width": 2, "color": chart.DENSE}},
        customdata=hover_names(names), hovertemplate="%{customdata}<br>%{y:,.0f} vectors<extra></extra>",
    )  # fmt: skip
    picture.add_scatter(
        x=list(range(len(names))), y=mean.round(2).tolist(), mode="markers",
        name="unique vectors, mean and range over channels",
        marker={"size": 9, "color": chart.MERCURY},
        error_y={
            "type": "data", "symmetric": False, "color": chart.MERCURY, "thickness": 1.5,
            "array": (high - mean).round(2).tolist(), "arrayminus": (mean - low).round(2).tolist(),
        },
        customdata=[
            [name, bottom, top]
            for name, bottom, top in zip(hover_names(names), low.tolist(), high.tolist(), strict=True)
        ],
        hovertemplate="%{customdata[0]}<br>%{y:,.1f} unique, %{customdata[1]:,.1f} to %{customdata[2]:,.1f}"
        "<extra></extra>",
    )  # fmt: skip
    picture.update_yaxes(type="log", dtick=1)
    return picture


def bits_chart(by_bits: pd.DataFrame) -> go.Figure:
    """Similarity of all layers together against the signature's length; zero vectors left out of it."""
    picture = figure(330, "signature bits", "share of vectors")
    lines = (
        ("forward", "similar", "similar input vectors", chart.MERCURY, "solid"),
        ("forward", "zero", "zero input vectors", chart.ZERO_HIT, "dash"),
        ("input_gradient", "similar", "similar gradient vectors", GRADIENT, "solid"),
    )
    for product, what, label, colour, dash in lines:
        sums = by_bits[by_bits["product"] == product].groupby("bits")[["HIT", "zero_hits", "vectors"]].sum()
        if sums.empty:
            continue
        hits = sums["zero_hits"] if what == "zero" else sums["HIT"] - sums["zero_hits"]
        picture.add_scatter(
            x=sums.index.tolist(), y=(hits / sums["vectors"]).round(5).tolist(), mode="lines+markers",
            name=label, line={"color": colour, "width": 3, "dash": dash}, marker={"size": 8},
            hovertemplate="%{y:.1%}",
        )  # fmt: skip
    picture.update_yaxes(tickformat=".0%", rangemode="tozero")
    picture.update_xaxes(tickvals=sorted(by_bits["bits"].unique().tolist()))
    return picture


def layer_bits_chart(by_bits: pd.DataFrame, product: str) -> go.Figure:
    """Similar vectors (zero ones left out) of each layer at each signature length: the darker the more."""
    rows = by_bits[by_bits["product"] == product]
    names = [name for name in _names(by_bits) if name in set(rows["layer"])]
    table = rows.pivot_table(index="bits", columns="layer", values="similar")[names]
    picture = layer_figure(names, "signature bits")
    picture.add_heatmap(
        x=list(range(len(names))), y=[str(bits) for bits in table.index],
        z=table.round(4).to_numpy().tolist(), zmin=0, zmax=1,
        colorscale=[[0, "rgba(31,127,196,0.03)"], [1, chart.MERCURY]],
        colorbar={"tickformat": ".0%", "thickness": 12, "outlinewidth": 0},
        customdata=[hover_names(names)] * len(table), xgap=1, ygap=1,
        hovertemplate="%{customdata}<br>%{y} bits: %{z:.1%} similar<extra></extra>",
    )  # fmt: skip
    picture.update_yaxes(type="category", showgrid=False)
    return picture


def found_chart(rows: pd.DataFrame) -> go.Figure:
    """Fig. 3: unique vectors found by RPQ and Bloom filter, with the spread over draws."""
    picture = figure(300, "signature bits", "unique vectors found")
    for method, points in rows.groupby("method", sort=False):
        colour = _METHOD_COLOURS[str(method)]
        picture.add_scatter(
            x=points["bits"].tolist(), y=points["unique"].round(3).tolist(), mode="lines+markers",
            name=str(method), line={"color": colour, "width": 2}, marker={"size": 5},
            error_y={
                "type": "data", "array": points["spread"].round(3).tolist(), "color": colour,
                "thickness": 1, "width": 0,
            },
            hovertemplate="%{y:.1f}",
        )  # fmt: skip
    if rows["vectors"].iloc[0] == "random":
        picture.add_hline(y=float(rows["known"].iloc[0]), line={"color": chart.GUIDE, "dash": "dash"})
    picture.update_yaxes(rangemode="tozero")
    return picture


def trained_chart(trained: Trained) -> go.Figure:
    """Fig. 13: the test score of dense training and of MERCURY, a dot a seed and a bar at the mean."""
    table = scores(trained)
    metric = trained.summary.metric if trained.summary else None
    picture = figure(300, "", f"test {metric.name}" if metric else "test score")
    kinds = [kind for kind in ("dense", "reuse") if kind in set(table["run"])]
    for place, kind in enumerate(kinds):
        values = table[table["run"] == kind]["score"]
        picture.add_scatter(
            x=[place] * len(values), y=values.tolist(), mode="markers", name=chart.KIND_NAMES[kind],
            marker={"size": 11, "color": chart.KIND_COLOURS[kind], "opacity": 0.6}, showlegend=False,
            customdata=table[table["run"] == kind]["seed"].tolist(),
            hovertemplate="seed %{customdata}: %{y:.2%}<extra></extra>",
        )  # fmt: skip
        mean = float(values.mean())
        picture.add_scatter(
            x=[place - 0.2, place + 0.2], y=[mean, mean], mode="lines", showlegend=False,
            line={"color": chart.KIND_COLOURS[kind], "width": 4},
            hovertemplate=f"mean of {len(values)}: %{{y:.2%}}<extra></extra>",
        )  # fmt: skip
    picture.update_xaxes(
        tickvals=list(range(len(kinds))), ticktext=[chart.KIND_NAMES[kind] for kind in kinds],
        range=[-0.6, len(kinds) - 0.4],
    )  # fmt: skip
    if metric is not None:
        # At least five points high, so that a difference of nothing looks like one.
        low, high = float(table["score"].min()), float(table["score"].max())
        half = max(0.7 * (high - low), 2.5 / metric.points)
        middle = (low + high) / 2
        picture.update_yaxes(tickformat=metric.tick[1], range=[middle - half, middle + half])
    picture.update_layout(hovermode="closest")
    return picture


def _names(rows: pd.DataFrame) -> list[str]:
    """Layers in the network's order: that of the forward pass."""
    forward = rows[rows["product"] == "forward"]["layer"]
    return list(dict.fromkeys([*forward, *rows["layer"]]))
