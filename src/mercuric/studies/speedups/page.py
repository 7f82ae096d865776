"""How do the speed-ups of all networks look? Their tables, and the page of the sweep that they come from."""

from pathlib import Path

import pandas as pd

from mercuric.files.reading import read_json_object
from mercuric.page.listeners import tell
from mercuric.page.parts import Section
from mercuric.page.table import SortableTable, words
from mercuric.studies.speedups.table import Rows, lost_rows, speedup_rows, write_tables
from mercuric.studies.sweep import page
from mercuric.studies.sweep.config import SweepConfig


def write_page(folder: Path, command: str) -> Path:
    """Write ``speedups.md`` beside ``speedups.csv`` and ``lost.csv``, and the sweep's ``report.html``.

    Returns:
        the page's path.

    Raises:
        MercuricError: it can't be written.
    """
    found = speedup_rows(pd.read_csv(folder / "speedups.csv"))
    losses = lost_rows(pd.read_csv(folder / "lost.csv"))
    write_tables(folder, SweepConfig(**read_json_object(folder / "sweep.json")["config"]), found, losses)
    tell([Section("speedups", "Speed-ups", [_table("all", found), _table("lost", losses)])])
    return page.write_page(folder, command)


def _table(title: str, rows: Rows) -> SortableTable:
    heads, cells = rows
    return SortableTable(
        [words(head, [row[place] for row in cells]) for place, head in enumerate(heads)], title
    )
