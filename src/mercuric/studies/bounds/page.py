"""How does MERCURY look beside the most that other ways to skip work can save? Fig. 17 as a page."""

from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.files.reading import read_json_object
from mercuric.page import chart, formats
from mercuric.page.chart import Picture, figure, hover_names, name_layers, named
from mercuric.page.found_with import found_with, normalised
from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Card, Page, Section
from mercuric.trace.normalisation import SHOWN

_WAYS = {
    "mercury": "MERCURY, signatures included",
    "limitless": "MERCURY, any cache, signatures free",
    "zero_pruning": "zero pruning, unlimited",
    "elements": "similar elements, unlimited",
    "rounded_elements": "similar elements, 8 bits",
    "ucnn_8": "UCNN, 8 bits",
    "ucnn_7": "UCNN, 7 bits",
    "ucnn_6": "UCNN, 6 bits",
    "ucnn_8_adding": "UCNN, 8 bits, adding",
    "ucnn_7_adding": "UCNN, 7 bits, adding",
    "ucnn_6_adding": "UCNN, 6 bits, adding",
}
_COLUMNS = {
    "mercury": "MERCURY", "limitless": "any cache", "zero_pruning": "zeros", "elements": "elements",
    "rounded_elements": "8 bits", "ucnn_8": "UCNN 8", "ucnn_6": "UCNN 6", "ucnn_6_adding": "adding",
}  # fmt: skip
_PUBLISHED = (
    "In the paper (Fig. 17), by speed-ups, MERCURY beats UCNN with 7 and 8 bits, equals it with 6, and is "
    "4 % above zero pruning and 2 % above similar elements."
)
_DRAWN = {
    "mercury": chart.MERCURY,
    "zero_pruning": chart.DENSE,
    "elements": chart.MAU,
    "ucnn_8_adding": chart.SIGNATURE,
}


def bounds_table(layers: pd.DataFrame, summary: dict[str, Any]) -> Table:
    """A layer a row: how many times fewer multiply-accumulates each way leaves; the network at the end."""
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title=Text(_subject(summary)),
        caption=Text(
            "multiply-accumulates over what is left; all but MERCURY are bounds, their overheads free; "
            f"{_found_with(summary)}; {normalised(summary['normalisation'])}"
        ),
    )
    table.add_column("layer", overflow="fold")
    for head in _COLUMNS.values():
        table.add_column(head, justify="right", no_wrap=True)
    for _, layer in layers.iterrows():
        table.add_row(Text(str(layer["layer"])), *(_saved(layer, way) for way in _COLUMNS))
    table.add_section()
    speedup = summary["speedup"]
    table.add_row("all", *(Text(formats.ratio(speedup[way]), style="bold") for way in _COLUMNS))
    table.add_row("losing layers off", Text(formats.ratio(speedup["adapted"]), style="bold"))
    return table


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html`` beside ``bounds.csv`` and ``bounds.json``, which it shows; return its path.

    Raises:
        MercuricError: it can't be written.
    """
    summary = read_json_object(folder / "bounds.json")
    layers = pd.read_csv(folder / "bounds.csv", dtype={"layer": str})
    return write(_page(layers, summary, command), folder)


def _page(layers: pd.DataFrame, summary: dict[str, Any], command: str) -> Page:
    speedup = summary["speedup"]
    return Page(
        title=f"{summary['model']} on {summary['data']}: Mercuric bounds",
        kicker="bounds to compare with",
        subject=f"{summary['model']}, {summary['weights']}",
        headline=_headline(speedup),
        lead=f"One inference of {formats.number_of(summary['images'], 'image')} of {summary['data']} "
        f"({formats.size(summary, '{0} x {0} pixels')}). {_PUBLISHED}",
        cards=[
            Card(name, formats.ratio(speedup[way]), "fewer multiply-accumulates")
            for way, name in _WAYS.items()
            if way in _DRAWN
        ],
        sections=[_section(layers, summary)],
        methods=_methods(summary),
        machine=machine_facts(summary["machine"]),
        command=command,
    )


def _headline(speedup: dict[str, float]) -> str:
    rivals = {
        "zero_pruning": "zero pruning",
        "elements": "similar elements",
        "ucnn_8_adding": "8-bit UCNN that adds",
        "ucnn_8": "8-bit UCNN with free additions",
    }
    ahead = [name for way, name in rivals.items() if speedup["adapted"] > speedup[way]]
    behind = [name for way, name in rivals.items() if speedup["adapted"] <= speedup[way]]
    said = f"MERCURY leaves {formats.ratio(speedup['adapted'])} fewer multiply-accumulates"
    if ahead:
        said += f", more than the bound of {formats.listing(ahead)}"
    if behind:
        said += f"{' but' if ahead else ','} less than that of {formats.listing(behind)}"
    return f"{said}."


def _section(layers: pd.DataFrame, summary: dict[str, Any]) -> Section:
    subject = _subject(summary)
    network = Picture(
        "fig17",
        "The whole network (Fig. 17)",
        "How many times fewer multiply-accumulates are left in the forward pass, and what the simulated "
        "cycles say of the same pass. Bounds take indices, additions and detection as free; MERCURY pays "
        "for its signatures.",
        named(network_chart(summary["speedup"]), subject),
    )
    each = Picture(
        "fig17-layers",
        "Layer by layer",
        "The same ratio in each layer. A point under 1 has more work than the dense layer.",
        named(layer_chart(layers), subject),
    )
    return Section("bounds", "What could be saved", [network, each])


def network_chart(speedup: dict[str, float]) -> go.Figure:
    """Every way's ratio as a bar, those of the cycles beside them."""
    picture = figure(450, "", "dense work over what is left")
    ways = {
        "adapted": "MERCURY, losing layers off",
        **_WAYS,
        "cycles_paper": "MERCURY, cycles, paper",
        "cycles_fair": "MERCURY, cycles, fair",
    }
    colours = [chart.MERCURY if "MERCURY" in name else chart.DENSE for name in ways.values()]
    picture.add_bar(
        x=list(ways.values()),
        y=[round(speedup[way], 4) for way in ways],
        marker={"color": colours},
        text=[formats.ratio(speedup[way]) for way in ways],
        hovertemplate="%{x}: %{y:.2f}x<extra></extra>",
    )
    picture.add_hline(y=1, line={"color": chart.GUIDE, "dash": "dash"})
    picture.update_layout(showlegend=False, hovermode="closest")
    picture.update_yaxes(type="log", dtick=1)
    picture.update_xaxes(tickangle=-30)
    return picture


def layer_chart(layers: pd.DataFrame) -> go.Figure:
    """The ratio of some ways in each layer, on a logarithmic axis."""
    names = [str(name) for name in layers["layer"]]
    picture = figure(360, "", "dense work over what is left")
    for way, colour in _DRAWN.items():
        ratios = (layers["macs"] / layers[way].where(layers[way] > 0)).round(4)
        picture.add_scatter(
            x=list(range(len(names))), y=ratios.tolist(), mode="lines+markers", name=_WAYS[way],
            line={"color": colour, "width": 2}, marker={"size": 7}, customdata=hover_names(names),
            hovertemplate="%{customdata}: %{y:.2f}x",
        )  # fmt: skip
    picture.add_hline(y=1, line={"color": chart.GUIDE, "dash": "dash"})
    picture.update_yaxes(type="log", dtick="D2", tickformat="~g")
    name_layers(picture, names)
    return picture


def _saved(layer: "pd.Series[Any]", way: str) -> Text:
    ratio = layer["macs"] / layer[way] if layer[way] else float("inf")
    text = formats.ratio(ratio) if layer[way] else "all"
    return Text(text, style="red" if ratio < 1 else "")


def _subject(summary: dict[str, Any]) -> str:
    number = formats.number_of(summary["images"], "image")
    return f"{summary['model']}, {summary['weights']}; {number} of {summary['data']}, {formats.size(summary)}"


def _found_with(summary: dict[str, Any]) -> str:
    paper = {"granularity": "channel", "magnitude": None, "scope": "image"}
    return found_with({**paper, "bits": summary["bits"], **summary["mcache"]})


def _methods(summary: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Weights", f"{summary['weights']}. UCNN and element similarity depend on them."),
        ("Normalisation", f"{SHOWN[summary['normalisation']]}.".capitalize()),
        (
            "MERCURY",
            f"{_found_with(summary)}; "
            "misses and signature bits, as multiply-accumulates; the title has layers off where that is "
            "more than the dense layer has. With any cache: unlimited entries, and "
            f"signatures free. Cycles: {summary['accelerator']}, forward.",
        ),
        (
            "Zero pruning",
            "Products of a nonzero input with a nonzero weight; padding counts as zeros.",
        ),
        (
            "Similar elements",
            "Every pair of an input value and a weight value of a channel and image is multiplied once, "
            "whatever the number of values; equal values, or equal ones after rounding to 8 bits.",
        ),
        (
            "UCNN",
            "A filter's equal weights share a multiplication after rounding to so many bits, zeros need "
            "none; sums of activations are free, as the paper takes them. Adding: each filter makes its "
            "own, and an addition is half a multiply-accumulate.",
        ),
    ]
