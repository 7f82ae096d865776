"""How do the speed-ups of all networks look beside the paper's, in the terminal and in Markdown?"""

from pathlib import Path
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table

from mercuric.files.markdown import markdown_table
from mercuric.files.writing import write_text
from mercuric.page import formats
from mercuric.page.found_with import found_with
from mercuric.studies.sweep.config import SweepConfig

Rows = tuple[list[str], list[list[str]]]
"""Headings and cells."""

_SPEEDUPS = {
    "synchronous_paper": "sync", "asynchronous_paper": "async",
    "synchronous_fair": "sync, fair", "asynchronous_fair": "async, fair", "no_hits": "no hits",
}  # fmt: skip
_LOST = {
    "free": "HITs free", "products": "products", "signatures": "with signatures", "adapted": "layers off",
    "convolutions": "convolutions",
}  # fmt: skip


def speedup_rows(table: pd.DataFrame) -> Rows:
    """Headings and cells: a network and dataflow a row."""
    heads = ["network", "dataflow", "hits", *_SPEEDUPS.values(), "published"]
    rows = [
        [
            str(row["model"]), str(row["dataflow"]), formats.percent(row["hit_rate"]),
            *(formats.ratio(row[name]) for name in _SPEEDUPS), _published(row["published"]),
        ]
        for _, row in table.iterrows()
    ]  # fmt: skip
    return heads, rows


def lost_rows(table: pd.DataFrame) -> Rows:
    """Headings and cells: where a network's cycles go, a network a row."""
    heads = ["network", "hits", *_LOST.values()]
    rows = [
        [str(row["model"]), formats.percent(row["hit_rate"]), *(formats.ratio(row[name]) for name in _LOST)]
        for _, row in table.iterrows()
    ]
    return heads, rows


def terminal_table(heads: list[str], rows: list[list[str]], caption: str) -> Table:
    """Headings and cells as a table of the terminal."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=caption)
    for head, words in zip(heads, _words(heads), strict=True):
        table.add_column(head, justify="left" if words else "right")
    for cells in rows:
        table.add_row(*cells)
    return table


def markdown(heads: list[str], rows: list[list[str]]) -> str:
    """Headings and cells as a Markdown table."""
    return markdown_table(heads, rows, _words(heads))


def _words(heads: list[str]) -> list[bool]:
    return [place == 0 or head == "dataflow" for place, head in enumerate(heads)]


def write_tables(folder: Path, config: SweepConfig, *tables: Rows) -> None:
    """Write ``speedups.md``: how similarity was found, and the tables."""
    tables_text = "\n".join(markdown(*table) for table in tables)
    write_text(folder / "speedups.md", f"{how_found(config)}.\n\n{tables_text}")


def how_found(config: SweepConfig) -> str:
    """How all of the speed-ups' hits were found, and on which array."""
    return f"{found_with(config.found_with())} ({config.accelerator})"


def _published(value: Any) -> str:
    return formats.ratio(value) if pd.notna(value) else ""
