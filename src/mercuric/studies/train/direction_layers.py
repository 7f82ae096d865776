"""What did directions do, layer by layer?"""

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.errors import ArgumentError
from mercuric.page import formats
from mercuric.page.parts import Section
from mercuric.page.table import Cell, SortableTable

_COLUMNS = ("seed", "layer", "kind", "rank", "error", "on", "computes")
_FIGURES = ["rank", "error", "dense_ms", "reuse_ms"]
_HEADINGS = (
    ("layer", "", True),
    ("kind", "", True),
    ("rank", "directions, mean over seeds", False),
    ("error", "relative output error of the directions when they were last tested", False),
    ("dense ms", "forward and backward pass of the dense layer, as measured in training", False),
    ("directions ms", "the same in directions", False),
    ("computes", "form at the end of training", True),
)


def directions_over_seeds(layers: pd.DataFrame) -> pd.DataFrame:
    """One row a layer of ``layers.csv``: means of rank, error and milliseconds, and the forms that it had.

    Raises:
        ValueError: a column is missing, or a cell is no number.
    """
    missing = [name for name in _COLUMNS if name not in layers.columns]
    if missing:
        raise ArgumentError(f"the layers' column {missing[0]} is missing")
    known = [name for name in _FIGURES if name in layers.columns]
    groups = layers.astype(dict.fromkeys(known, float)).groupby("layer", sort=False)
    means = groups[known].mean().reindex(columns=_FIGURES)
    means.insert(0, "kind", groups["kind"].first())
    means["computes"] = groups["computes"].agg(lambda forms: " / ".join(dict.fromkeys(forms)))
    return means.reset_index()


def direction_section(layers: pd.DataFrame) -> Section:
    """The table of all layers, of :func:`directions_over_seeds`' rows."""
    rows = [_page_cells(layer) for _, layer in layers.iterrows()]
    return Section("layers", "Layer by layer", [SortableTable(_HEADINGS, rows, "All layers")] if rows else [])


def direction_table(layers: pd.DataFrame) -> Table:
    """A layer a row, averaged over the seeds.

    Args:
        layers: the content of ``layers.csv``.

    Raises:
        ValueError: a column is missing, or a cell is no number.
    """
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption="ms: a layer's forward and backward pass")
    for name, _, left in _HEADINGS:
        table.add_column(name, justify="left" if left else "right", overflow="fold")
    for _, layer in directions_over_seeds(layers).iterrows():
        dimmed = "" if layer["computes"] == "directions" else "dim"
        table.add_row(*map(Text, _cells(layer)), style=dimmed)
    return table


def _page_cells(layer: "pd.Series[str]") -> list[Cell]:
    layer_name, kind, *figures, computes = _cells(layer)
    numbers = [Cell(text, float(layer[name])) for name, text in zip(_FIGURES, figures, strict=True)]
    return [Cell(layer_name), Cell(kind), *numbers, Cell(computes)]


def _cells(layer: "pd.Series[str]") -> list[str]:
    rank = float(layer["rank"])
    return [
        layer["layer"],
        layer["kind"],
        f"{rank:g}" if rank else formats.MISSING,
        *(_known(float(layer[name])) for name in ("error", "dense_ms", "reuse_ms")),
        layer["computes"],
    ]


def _known(value: float) -> str:
    return f"{value:.3g}" if formats.is_known(value) else formats.MISSING
