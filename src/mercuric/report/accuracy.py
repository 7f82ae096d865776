"""How is the table of accuracies written?"""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.experiments.accuracy import AccuracyRow
from mercuric.report import formats

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
        caption="means over seeds, standard deviations in brackets; the paper loses 0.7 points",
    )
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name in _LEFT else "right")
    for row in rows:
        cells = [Text(cell) for cell in _cells(row)]
        cells[5].stylize("red" if row.gap > MOST_POINTS else "")
        table.add_row(*cells)
    return table


def accuracy_markdown(rows: Sequence[AccuracyRow]) -> str:
    """The table for ``docs/accuracy.md``."""
    lines = ["| " + " | ".join(_COLUMNS) + " |"]
    lines.append("|" + "".join("---|" if name in _LEFT else "--:|" for name in _COLUMNS))
    for row in rows:
        cells = _cells(row)
        if row.gap > MOST_POINTS:
            cells[5] = f"**{cells[5]}**"
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


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
    return f"{points * score:.2f}{unit}" + ("" if spread is None else f" ({points * spread:.2f})")
