"""How is the table of accuracies written?"""

import csv
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.files.markdown import markdown_table
from mercuric.files.reading import read_text
from mercuric.files.writing import write_text
from mercuric.page import formats
from mercuric.page.listeners import tell
from mercuric.page.parts import Section
from mercuric.page.table import SortableTable, words
from mercuric.studies.accuracy.study import AccuracyRow, read_row

_COLUMNS = (
    "network", "width", "data", "dense", "MERCURY", "points lost", "the same weights, dense", "hits",
    "of which zero", "bits at the end", "layers off",
)  # fmt: skip
_LEFT = ("network", "width", "data")

MOST_POINTS = 0.7
"""What the paper loses on average (VII-A)."""


def accuracy_table(rows: Sequence[AccuracyRow]) -> Table:
    """A row a network and data set; a loss of over 0.7 points is red."""
    table = Table(
        box=SIMPLE_HEAD,
        caption="per cent, or BLEU: means over seeds (standard deviations); the paper loses 0.7 points",
    )
    table.add_column("row", overflow="fold")
    for name in ("dense", "MERCURY", "lost", "hits", "bits", "off"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        _, _, _, dense, reuse, lost, _, hits, _, bits, off = _cells(row)
        unit = " %" if row.metric == "accuracy" else " BLEU"
        scores = [Text(score.replace(unit, "")) for score in (dense, reuse)]
        lost_text = Text(lost, style="red" if row.gap > MOST_POINTS else "")
        table.add_row(
            Text(row.row), *scores, lost_text, Text(hits), Text(bits), Text(off.replace(" of ", "/"))
        )
    return table


def write_page(folder: Path, _command: str) -> Path:
    """Write ``accuracy.md`` beside ``accuracy.csv`` from the folders of its rows, and return its path.

    Raises:
        MercuricError: a file is broken.
        OSError: a file can't be read or written.
    """
    names = [row["row"] for row in csv.DictReader(read_text(folder / "accuracy.csv").splitlines())]
    target, rows = folder / "accuracy.md", [read_row(name, folder / name) for name in names]
    write_text(target, accuracy_markdown(rows))
    cells = list(map(_cells, rows))
    columns = [words(name, [row[place] for row in cells]) for place, name in enumerate(_COLUMNS)]
    tell([Section("accuracy", "Accuracy", [SortableTable(columns)])])
    return target


def accuracy_markdown(rows: Sequence[AccuracyRow]) -> str:
    """The table for ``docs/accuracy.md``."""
    table = []
    for row in rows:
        cells = _cells(row)
        if row.gap > MOST_POINTS:
            cells[5] = f"**{cells[5]}**"
        table.append(cells)
    return markdown_table(_COLUMNS, table, [name in _LEFT for name in _COLUMNS])


def _cells(row: AccuracyRow) -> list[str]:
    return [
        row.model,
        f"{row.width:g}",
        row.data,
        _score(row, row.dense, row.dense_spread),
        _score(row, row.reuse, row.reuse_spread),
        f"{row.gap:.2f}",
        _score(row, row.without_reuse),
        formats.percent(row.hit_rate),
        formats.percent(row.zero_hit_rate),
        f"{row.final_bits:.1f}",
        f"{row.layers_off:g} of {row.layers}",
    ]


def _score(row: AccuracyRow, score: float, spread: float | None = None) -> str:
    points, unit = (100, " %") if row.metric == "accuracy" else (1, " BLEU")
    if spread is None or row.seeds == 1:
        return f"{points * score:.2f}{unit}"
    return f"{points * score:.2f}{unit} ({points * spread:.2f})"
