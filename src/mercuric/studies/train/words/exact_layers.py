"""What did exact reuse do, layer by layer?"""

from typing import Any

import pandas as pd
import plotly.graph_objects as go
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.errors import ArgumentError
from mercuric.page import chart, formats
from mercuric.page.chart import Picture, hover_names
from mercuric.page.layer_charts import layer_figure
from mercuric.page.parts import Paragraph, Part, Section
from mercuric.page.table import SortableTable, numbers, words

_COUNTS = ["vectors", "HIT", "MAU", "MNU", "share"]
_COLUMNS = ("seed", "layer", "kind", *_COUNTS, "computes")
_PARTS = (
    ("hit", "equal to an earlier vector: not computed", chart.EXACT),
    ("once", "first of its class: computed once", chart.MAU),
    ("densely", "computed densely", chart.DENSE),
)
"""Share of a layer's vectors, what it is, and its colour."""
_IN_TERMINAL = ("hit", "once", "densely", "share")
_MOST_SAID = 6


def exact_over_seeds(layers: pd.DataFrame) -> pd.DataFrame:
    """One row a layer of ``layers.csv``.

    Returns:
        layer, kind, means over the seeds of the counts, computes (the forms at the end), ``hit``, ``once``
        and ``densely`` (shares of the layer's vectors; all densely where none was compared), ``share`` of
        the network's multiply-accumulates, and ``left``, what was computed of them.

    Raises:
        ValueError: a column is missing, a cell is no number, or the counts contradict each other.
    """
    missing = [name for name in _COLUMNS if name not in layers.columns]
    if missing:
        raise ArgumentError(f"the layers' column {missing[0]} is missing")
    checked = layers.astype({"layer": str, "kind": str, "computes": str}).fillna({"kind": ""})
    for name in _COUNTS:
        checked[name] = pd.to_numeric(checked[name], errors="coerce")
        _refuse(checked, ~(checked[name] >= 0), f"has no valid {name}")
    sums = checked["HIT"] + checked["MAU"] + checked["MNU"]
    _refuse(checked, (sums - checked["vectors"]).abs() > 0, "has HIT + MAU + MNU different from vectors")
    groups = checked.groupby("layer", sort=False)
    means = groups[_COUNTS].mean()
    means.insert(0, "kind", groups["kind"].first())
    means["computes"] = groups["computes"].agg(lambda forms: " / ".join(dict.fromkeys(forms)))
    found = means.reset_index()
    vectors = found["vectors"].where(found["vectors"] > 0)
    for name, count, where_none in (("hit", "HIT", 0.0), ("once", "MAU", 0.0), ("densely", "MNU", 1.0)):
        found[name] = (found[count] / vectors).fillna(where_none)
    found["left"] = found["share"] * (1 - found["hit"])
    return found


def exact_section(layers: pd.DataFrame) -> Section:
    """Shares of equal vectors as bars, dense layers with their reasons, and the table of all layers."""
    if layers.empty:
        return Section("layers", "Layer by layer", [])
    note = (
        "A bar is all vectors that a layer read in the training. Green ones took the result of an equal "
        "vector; grey ones were computed densely."
    )
    parts: list[Part] = [Picture("equal", "Which vectors were computed", note, shares_chart(layers))]
    parts.append(Paragraph(dense_sentence(layers)))
    percent = formats.percent
    table = SortableTable(
        [
            numbers("#", range(1, len(layers) + 1), str, "position in the network"),
            words("layer", layers["layer"]),
            words("kind", layers["kind"]),
            numbers("vectors", layers["vectors"], formats.count, "input vectors over the whole training"),
            numbers("HIT", layers["hit"], percent, "equal to an earlier vector, share of vectors"),
            numbers("once", layers["once"], percent, "computed once a class, share of vectors"),
            numbers(
                "densely", layers["densely"], percent, "computed densely, share of vectors",
                layers["densely"] > 0,
            ),
            numbers("of products", layers["share"], percent, "multiply-accumulates of the dense network"),
            numbers("left", layers["left"], percent, "what was computed of all multiply-accumulates"),
            words("at the end", layers["computes"], "what the last pass did, and why"),
        ],
        "All layers",
    )  # fmt: skip
    return Section("layers", "Layer by layer", [*parts, table])


def shares_chart(layers: pd.DataFrame) -> go.Figure:
    """What became of each layer's vectors; a bar sums to 1."""
    names = layers["layer"].tolist()
    picture = layer_figure(names, "share of input vectors")
    for column, label, colour in _PARTS:
        picture.add_bar(
            x=list(range(len(names))), y=layers[column].round(6).tolist(), name=label,
            marker={"color": colour}, customdata=hover_names(names),
            hovertemplate=f"%{{customdata}}<br>{label}: %{{y:.1%}}<extra></extra>",
        )  # fmt: skip
    picture.update_layout(barmode="stack", bargap=0.2)
    picture.update_yaxes(tickformat=".0%", range=[0, 1])
    return picture


def dense_sentence(layers: pd.DataFrame) -> str:
    """Which layers were dense, which share of the products they have, and why."""
    dense = layers[layers["densely"] > 0].sort_values("share", ascending=False, kind="stable")
    if dense.empty:
        return "No layer computed densely."
    said = [_dense(row) for _, row in dense.head(_MOST_SAID).iterrows()]
    rest = len(dense) - len(said)
    if rest:
        share = formats.percent(dense["share"][_MOST_SAID:].sum())
        said.append(f"{formats.number_of(rest, 'other')} with {share}")
    return f"Computed densely, with their share of the multiply-accumulates: {'; '.join(said)}."


def _dense(layer: "pd.Series[Any]") -> str:
    often = "" if layer["densely"] == 1 else f", in {formats.percent(layer['densely'])} of its vectors"
    why = layer["computes"].partition("dense: ")[2]
    return f"{layer['layer']} ({formats.percent(layer['share'])}{often}{f': {why}' if why else ''})"


def exact_table(layers: pd.DataFrame) -> Table:
    """A layer a row, averaged over the seeds.

    Args:
        layers: the content of ``layers.csv``.

    Raises:
        ValueError: as :func:`exact_over_seeds`.
    """
    table = Table(
        box=SIMPLE_HEAD, padding=(0, 1, 0, 0),
        caption="HIT, once, densely: shares of the vectors; products: of the network's multiply-accumulates",
    )  # fmt: skip
    table.add_column("layer", overflow="fold")
    for name in ("vectors", "HIT", "once", "densely", "products"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("at the end", overflow="fold")
    for _, layer in exact_over_seeds(layers).iterrows():
        shares = (formats.percent(layer[name]).replace(" ", "") for name in _IN_TERMINAL)
        cells = (layer["layer"], formats.count(layer["vectors"]), *shares, layer["computes"])
        table.add_row(*map(Text, cells), style="dim" if layer["densely"] == 1 else "")
    return table


def _refuse(layers: pd.DataFrame, wrong: "pd.Series[bool]", what: str) -> None:
    if wrong.any():
        first = layers[wrong.to_numpy()].iloc[0]
        raise ArgumentError(f"layer {first['layer']} of seed {first['seed']} {what}")
