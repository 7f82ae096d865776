"""How does a run look in the terminal?"""

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from mercuric.page import formats
from mercuric.page.found_with import found_with, normalised
from mercuric.studies.train.comparison import columns, compare
from mercuric.studies.train.figure import Figure
from mercuric.studies.train.summary_file import parse_summary


def summary_table(summary: Mapping[str, Any]) -> Table:
    """Dense training and the methods side by side, the published speed-up beside ours.

    Args:
        summary: the content of ``summary.json``.

    Raises:
        ValueError: a figure is missing or has the wrong type; names it.
    """
    checked = parse_summary(summary)
    rows = compare(checked)
    title = Text(f"{checked.network} on {checked.data}, {formats.number_of(len(checked.seeds), 'seed')}")
    table = Table(title=title)
    table.add_column("")
    shown = columns(checked, rows)
    for field, name in shown:
        table.add_column(name, justify="right", style="cyan" if field in checked.compared else "")
    for row in rows:
        table.add_row(_label(row), *(Text(row.cell(field)) for field, _ in shown))
    return table


DEPTHS = {"channel": "by channel", "whole": "whole depth"}
"""How tables name a baseline's folding of the depth."""


def simulation_table(summary: Mapping[str, Any]) -> Table:
    """The cycles of a simulated batch, a timing a row, and both baselines where the array has two.

    Args:
        summary: what was simulated (``model``, ``data``, ``images`` and ``image_size`` or ``pairs``,
            ``weights``, ``products``) and the figures of ``Simulation.summary``.
    """
    table = Table(
        title=Text(f"{summary['model']} on {_examples(summary)} of {summary['data']}"),
        caption=Text(
            f"weights: {summary['weights']}; {summary['products']} on "
            f"{summary['cycles']['accelerator']}; {found_with(summary['reuse'])}: "
            f"{_reused(summary['reuse'])}{_normalised(summary)}{_dense(summary)}"
        ),
    )
    for name in ("timing", "baseline", "MERCURY", "of which signatures", "speed-up"):
        table.add_column(name, justify="left" if name == "timing" else "right")
    for timing in ("paper", "fair"):
        cycles, speedup = summary["cycles"][timing], summary["speedup"][timing]
        counts = [formats.count(cycles[part]) for part in ("baseline", "mercury", "signature")]
        table.add_row(timing, *counts, Text(formats.ratio(speedup), style="red" if speedup < 1 else ""))
    for depth, cycles in summary["baselines"].items():
        table.add_row(f"dense, {DEPTHS[depth]}", formats.count(cycles))
    return table


def _examples(summary: Mapping[str, Any]) -> str:
    if "pairs" in summary:
        return formats.number_of(summary["pairs"], "sentence pair")
    each = "example" if "shapes" in summary else "image"
    return f"{formats.number_of(summary['images'], each)} ({formats.size(summary)})"


def _dense(summary: Mapping[str, Any]) -> str:
    coverage = summary.get("coverage") or {"dense": [], "left_out": []}
    said = {
        "no layer makes; they have rows and stay dense": coverage["dense"],
        "are in no row, for their form isn't known": coverage["left_out"],
    }
    return "".join(
        f"; {formats.percent(sum(one['share'] for one in operations))} of the multiply-accumulates {how}"
        for how, operations in said.items()
        if operations
    )


def _normalised(summary: Mapping[str, Any]) -> str:
    by = summary.get("normalisation")
    return f"; {normalised(by)}" if by else ""


def _reused(rates: Mapping[str, float]) -> str:
    return (
        f"{formats.percent(rates['hit_rate'])} of vectors hit "
        f"({formats.percent(rates['similar_rate'])} similar, the rest zero)"
    )


def _label(row: Figure) -> Text:
    return Text(f"  {row.label}", style="dim") if row.detail else Text(row.label)
