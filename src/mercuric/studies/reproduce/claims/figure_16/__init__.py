"""Fig. 16: what do more entries and more ways of the MCACHE give?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.page.table import SortableTable, numbers
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.studied import mcache_speedups, setting_of_sweep, sweep_of
from mercuric.studies.sweep.charts import grid_chart
from mercuric.studies.sweep.study import combination_totals

SLACK, WAYS = 1e-9, 16


def found(folders: Mapping[str, Path]) -> Found:
    """VGG13's speed-up at each size and associativity, row stationary."""
    totals = combination_totals(sweep_of(folders["mcache"]), ["entries", "ways"])
    paper, fair = mcache_speedups(totals)
    numbers_ = {
        "grows": Number(_least(paper), _least(fair)),
        "ways": Number(_least(paper.T), _least(fair.T)),
    }
    columns = [
        numbers("entries", totals["entries"], formats.count), numbers("ways", totals["ways"], formats.count),
        numbers("hits", totals["hit_rate"], formats.percent),
        numbers("speed-up", totals["paper_speedup"], formats.ratio),
        numbers("fair timing", totals["fair_speedup"], formats.ratio),
    ]  # fmt: skip
    return Found(
        numbers_,
        _why(paper),
        setting_of_sweep(folders["mcache"]),
        [
            Picture(
                "figure-16", "Speed-up by entries and ways", "Training, all layers on, paper's timing.",
                grid_chart(totals, "entries", "ways", "paper"),
            )
        ],
        [SortableTable(columns)],
    )  # fmt: skip


def _why(table: pd.DataFrame) -> str:
    if _least(table) >= 0:
        return "Large images have more unique vectors than entries."
    sizes = [int(size) for size in table.index]
    worst = int(table.diff().min(axis=1).to_numpy()[1:].argmin())
    said = f"{sizes[worst + 1]} entries do worse than {sizes[worst]}"
    if (sizes[worst] // WAYS) & (sizes[worst] // WAYS - 1) == 0:
        return f"{said}."
    return f"{said}, whose sets are no power of two in number and so are chosen by all bits of a signature."


def _least(table: pd.DataFrame) -> float:
    """The smallest change from a row to the next, as a share; what rounding makes of none is none."""
    change = table.pct_change().iloc[1:].to_numpy().min().item()
    return 0.0 if abs(change) < SLACK else change
