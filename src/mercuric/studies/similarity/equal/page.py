"""How does a study of equal vectors become one page?"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.files.reading import read_json_object
from mercuric.page import chart, formats
from mercuric.page.chart import Picture, hover_names, named
from mercuric.page.layer_charts import layer_figure
from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Card, Page, Section
from mercuric.page.table import SortableTable, numbers, words
from mercuric.studies.similarity.equal.class_map import Tile, Tiles, overlaid, plain
from mercuric.studies.similarity.equal.study import IMAGE, LAYERS, MAPS, SUMMARY

SHOWN = 8
"""Layers whose maps the page has."""


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html`` into a study's folder and return its path.

    Raises:
        MercuricError: a file is missing, broken or not writable; names it.
    """
    summary, layers = read_json_object(folder / SUMMARY), read_layers(folder)
    page = Page(
        title=f"{summary['model']} on {summary['data']}: Mercuric, equal vectors",
        kicker="equal vectors",
        subject=_subject(summary),
        headline=_headline(summary),
        lead=_lead(summary),
        cards=_cards(summary, layers),
        sections=[_pictures(folder, layers), _layers(summary, layers)],
        methods=_methods(summary),
        machine=machine_facts(summary["machine"]),
        command=command,
    )
    return write(page, folder)


def read_layers(folder: Path) -> pd.DataFrame:
    """The table of a study's layers."""
    return pd.read_csv(folder / LAYERS, keep_default_na=False, dtype={"layer": str})


def layer_table(summary: dict[str, Any], layers: pd.DataFrame) -> Table:
    """A layer a row, for the terminal."""
    share, limit = formats.percent(summary["macs_computed"]), formats.ratio(summary["limit"])
    caption = f"{share} of all MACs are computed: {limit} at most"
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title=Text(_subject(summary)), caption=Text(caption))
    table.add_column("layer", overflow="fold")
    for name in ("vectors", "classes", "computed", "MACs"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("computes")
    for _, row in layers.iterrows():
        figures = (
            formats.count(row["vectors"]),
            formats.count(row["classes"]),
            formats.percent(row["computed"]),
        )
        table.add_row(Text(row["layer"]), *figures, formats.count(row["macs"]), Text(row["computes"]))
    return table


def _subject(summary: dict[str, Any]) -> str:
    images = formats.number_of(summary["images"], "image")
    size = summary["image_size"]
    rounded = "" if summary["levels"] is None else f", rounded to {summary['levels']} levels"
    return f"{summary['model']}, {images} of {summary['data']}, {size} x {size} pixels{rounded}"


def _headline(summary: dict[str, Any]) -> str:
    share = formats.percent(summary["macs_computed"])
    if summary["macs_computed"] > 0.995:
        return f"{summary['model']} has nothing to share on {summary['data']}: all of its work is computed."
    return (
        f"{share} of {summary['model']}'s work on {summary['data']} is computed; the rest are exact copies."
    )


def _lead(summary: dict[str, Any]) -> str:
    return (
        "Equal windows give equal results, so each is computed where it comes first and copied from there, "
        "forward and backward. Coloured: computed. Pale: a copy of what was computed elsewhere. That allows "
        f"up to {formats.ratio(summary['limit'])} the speed of dense, with the same results."
    )


def _cards(summary: dict[str, Any], layers: pd.DataFrame) -> list[Card]:
    vectors, classes = int(layers["vectors"].sum()), int(layers["classes"].sum())
    shared = int((layers["computed"] < 1).sum())
    beside = f"of {formats.count(layers['macs'].sum())} multiply-accumulates"
    return [
        Card("Work that is computed", formats.percent(summary["macs_computed"]), beside),
        Card("Limit", formats.ratio(summary["limit"]), "faster, if nothing else took time"),
        Card("Vectors that differ", formats.count(classes), f"of {formats.count(vectors)} in all layers"),
        Card("Layers that share", f"{shared}", f"of {len(layers)}"),
    ]


def _pictures(folder: Path, layers: pd.DataFrame) -> Section:
    known = [row for _, row in layers.iterrows() if (folder / MAPS / f"{row['layer']}.png").is_file()]
    if not known:
        return Section("maps", "What is computed, and what is copied", [])
    chosen = sorted({round(place) for place in np.linspace(0, len(known) - 1, min(SHOWN, len(known)))})
    image = folder / IMAGE
    tiles = [Tile(plain(image), "The image", "As the network reads it.")]
    for row in (known[place] for place in chosen):
        note = (
            f"{formats.percent(row['computed'])} computed: {row['classes']:,} of {row['vectors']:,} windows "
            "differ."
        )
        tiles.append(Tile(overlaid(image, folder / MAPS / f"{row['layer']}.png"), row["layer"], note))
    return Section("maps", "What is computed, and what is copied", [Tiles(tiles)])


def _layers(summary: dict[str, Any], layers: pd.DataFrame) -> Section:
    note = (
        "Computed: vectors that differ from all before them. A window grows with depth and reaches more that "
        "differs; what stays blank around it stays a copy."
    )
    picture = Picture(
        "computed", "How much is computed, layer by layer", note, named(_chart(layers), _subject(summary))
    )
    table = SortableTable(
        [
            words("layer", layers["layer"]),
            numbers("vectors", layers["vectors"], lambda value: f"{value:,}"),
            numbers("classes", layers["classes"], lambda value: f"{value:,}", "vectors that differ"),
            numbers("computed", layers["computed"], formats.percent),
            numbers("MACs", layers["macs"], formats.count, "multiply-accumulates of the dense product"),
            numbers("computed MACs", layers["macs_computed"], formats.count),
            words("computes", layers["computes"]),
        ],
        "All layers",
    )
    return Section("layers", "Layer by layer", [picture, table])


def _chart(layers: pd.DataFrame) -> go.Figure:
    names = layers["layer"].tolist()
    picture = layer_figure(names, "share of vectors")
    computed = layers["computed"].round(6)
    for heights, label, colour in (
        (computed, "computed", chart.MERCURY),
        (1 - computed, "copies", chart.ZERO_HIT),
    ):
        picture.add_bar(
            x=list(range(len(names))), y=heights.round(6).tolist(), name=label, marker={"color": colour},
            customdata=hover_names(names),
            hovertemplate=f"%{{customdata}}<br>{label}: %{{y:.1%}}<extra></extra>",
        )  # fmt: skip
    picture.update_layout(barmode="stack", bargap=0.2)
    picture.update_yaxes(tickformat=".0%", range=[0, 1])
    return picture


def _methods(summary: dict[str, Any]) -> list[tuple[str, str]]:
    where = "of the whole batch" if summary["scope"] == "batch" else "of one image"
    return [
        (
            "Classes",
            f"Bitwise equal windows {where} are one class. Values are compared in the input alone; behind it "
            "the layers' geometry says which windows are equal, whatever the weights are: these are random.",
        ),
        ("Computed", "The first vector of a class, in raster order; the others take its result."),
        (
            "Limit",
            "Multiply-accumulates of the dense forward pass over those of vectors that are computed, in "
            "layers that never give up. Tables of classes, gathers and all else are not counted: mercuric "
            "bench equal measures time.",
        ),
    ]
