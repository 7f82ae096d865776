"""What did directions do, layer by layer?"""

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.errors import ArgumentError
from mercuric.page import formats
from mercuric.page.parts import Section
from mercuric.page.table import SortableTable, numbers, words

_COLUMNS = ("seed", "layer", "kind", "rank", "error", "on", "computes")
_FIGURES = ["rank", "error", "dense_ms", "reuse_ms"]
_SHOWN = (
    ("layer", "layer", ""),
    ("kind", "kind", ""),
    ("rank", "rank", "directions, mean over seeds"),
    ("error", "error", "relative output error of the directions when they were last tested"),
    ("dense_ms", "dense ms", "forward and backward pass of the dense layer, as measured in training"),
    ("reuse_ms", "directions ms", "the same in directions"),
    ("computes", "computes", "form at the end of training"),
)
"""Field, heading and what it means."""


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
    columns = [
        numbers(name, layers[field], _WRITTEN[field], meaning)
        if field in _WRITTEN
        else words(name, layers[field], meaning)
        for field, name, meaning in _SHOWN
    ]
    table = SortableTable(columns, "All layers")
    return Section("layers", "Layer by layer", [] if layers.empty else [table])


def direction_table(layers: pd.DataFrame) -> Table:
    """A layer a row, averaged over the seeds.

    Args:
        layers: the content of ``layers.csv``.

    Raises:
        ValueError: a column is missing, or a cell is no number.
    """
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption="ms: a layer's forward and backward pass")
    for field, name, _ in _SHOWN:
        table.add_column(name, justify="right" if field in _WRITTEN else "left", overflow="fold")
    for _, layer in directions_over_seeds(layers).iterrows():
        dimmed = "" if layer["computes"] == "directions" else "dim"
        cells = (_WRITTEN.get(field, str)(layer[field]) for field, _, _ in _SHOWN)
        table.add_row(*map(Text, cells), style=dimmed)
    return table


def _rank(value: float) -> str:
    return f"{value:g}" if value else formats.MISSING


def _known(value: float) -> str:
    return f"{value:.3g}" if formats.is_known(value) else formats.MISSING


_WRITTEN = {"rank": _rank, "error": _known, "dense_ms": _known, "reuse_ms": _known}
