"""How do our circuits stand beside the paper's Tables II to IV (a)?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.accelerator.energy.virtex7 import BASELINE, RESOURCES, design
from mercuric.files.writing import write_text
from mercuric.page import formats

Circuits = Sequence[Mapping[str, Any]]
"""As ``synthesis.json`` has them."""

SUMMARY = "synthesis.json"
"""What tables and page are made of."""

DEPTH = "depth"
FIGURES = {**RESOURCES, DEPTH: "logic depth"}
"""What is compared, and what it is called; the paper has no depth."""


@dataclass(frozen=True)
class Comparison:
    """A table of the paper, and ours beside it.

    Attributes:
        number: of the paper's table; None: it has none of these sizes.
        by: what changes from row to row; None: whether there is an MCACHE.
        title: the same, with what stays.
        rows: ``figure``, ``design``, ``ours``, ``paper``, over the baseline ``ours_ratio`` and
            ``paper_ratio``, and over the row before, less one, ``ours_growth`` and ``paper_growth``;
            a figure's rows stand together.
    """

    number: str | None
    by: Literal["sets", "ways"] | None
    title: str
    rows: pd.DataFrame

    @property
    def name(self) -> str:
        """``Table II (a): 16 ways, by sets``."""
        return f"Table {self.number} (a): {self.title}" if self.number else self.title

    @property
    def file(self) -> str:
        """The name of its CSV file."""
        what = f"table-{self.number}" if self.number else self.title.replace(",", "").replace(" ", "-")
        return f"{what.lower()}.csv"


_TABLES: tuple[tuple[str, Literal["sets", "ways"], str, int], ...] = (
    ("ways", "sets", "II", 16), ("sets", "ways", "III", 64),
)  # fmt: skip
"""What stays, what changes, and of which table that is where so many stay."""


def comparisons(circuits: Circuits) -> list[Comparison]:
    """A table for each number of ways by sets, for each number of sets by ways, and of the largest MCACHE.

    Args:
        circuits: the baseline among them, or not where its synthesis ran out of time.
    """
    baseline = next((one for one in circuits if one["sets"] is None), None)
    mercury = [one for one in circuits if one["sets"] is not None]
    found = []
    for fixed, by, number, size in _TABLES:
        for value in sorted({one[fixed] for one in mercury}):
            rows = sorted((one for one in mercury if one[fixed] == value), key=lambda one: int(one[by]))
            if len(rows) > 1:
                name = f"{value} {fixed}, by {by}"
                found.append(Comparison(number if value == size else None, by, name, _rows(rows, baseline)))
    if mercury and baseline is not None:
        largest = largest_of(mercury)
        number_iv = "IV" if (largest["sets"], largest["ways"]) == (64, 16) else None
        rows_iv = _rows([baseline, largest], baseline)
        found.append(Comparison(number_iv, None, f"{largest['name']} beside the baseline", rows_iv))
    return found


def largest_of(circuits: Circuits) -> Mapping[str, Any]:
    """The one whose MCACHE has most entries, of several with as many most sets."""
    return max(circuits, key=lambda one: ((one["sets"] or 0) * (one["ways"] or 0), one["sets"] or 0))


def value_of(circuit: Mapping[str, Any], figure: str) -> float:
    """One of :data:`FIGURES` of a circuit."""
    return float(circuit[DEPTH] if figure == DEPTH else circuit["total"][figure])


def _rows(circuits: Circuits, baseline: Mapping[str, Any] | None) -> pd.DataFrame:
    rows = []
    for figure in FIGURES:
        before: dict[str, float | None] = {"ours": None, "paper": None}
        for one in circuits:
            published = None if figure == DEPTH else design(one["sets"], one["ways"])
            values = {
                "ours": (value_of(one, figure), None if baseline is None else value_of(baseline, figure)),
                "paper": (
                    None if published is None else published.resources[figure],
                    None if figure == DEPTH else BASELINE.resources[figure],
                ),
            }
            row: dict[str, Any] = {"figure": figure, "design": one["name"]}
            for whose, (value, base) in values.items():
                row[whose] = value
                row[f"{whose}_ratio"] = _over(value, base)
                grown = _over(value, before[whose])
                row[f"{whose}_growth"] = None if grown is None else grown - 1
                before[whose] = value
            rows.append(row)
    return pd.DataFrame(rows)


def _over(value: float | None, base: float | None) -> float | None:
    return value / base if value is not None and base else None


def component_rows(circuits: Circuits) -> pd.DataFrame:
    """A row a circuit and component: ``design``, ``component``, ``instances``, and the figures of
    :data:`~mercuric.accelerator.energy.virtex7.RESOURCES` without those of components below it."""
    rows = [
        {
            "design": one["name"], "component": name, "instances": part["instances"],
            **{figure: part["resources"][figure] for figure in RESOURCES},
        }
        for one in circuits
        for name, part in one["components"].items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def write_tables(circuits: Circuits, folder: Path) -> None:
    """Write each comparison's CSV file and ``components.csv``.

    Raises:
        OSError: the folder can't be written.
    """
    for one in comparisons(circuits):
        write_text(folder / one.file, one.rows.to_csv(index=False))
    write_text(folder / "components.csv", component_rows(circuits).to_csv(index=False))


def terminal_table(comparison: Comparison, about: str) -> Table:
    """A comparison for the terminal: a figure's rows stand together, so that one reads how it grows."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title=comparison.name, caption=Text(about))
    table.add_column("", no_wrap=True)
    table.add_column("design", no_wrap=True)
    for head in ("ours", "paper", "of baseline", "paper", "growth", "paper"):
        table.add_column(head, justify="right", no_wrap=True)
    for figure, rows in comparison.rows.groupby("figure", sort=False):
        for place, (_, row) in enumerate(rows.iterrows()):
            table.add_row(FIGURES[str(figure)] if place == 0 else "", str(row["design"]), *cells(row))
        table.add_section()
    return table


def cells(row: "pd.Series[Any]") -> list[str]:
    """The figures of a row of a comparison, as a person reads them."""
    return [
        text(row[f"{whose}{what}"])
        for what, text in (("", _number), ("_ratio", _ratio), ("_growth", _growth))
        for whose in ("ours", "paper")
    ]


def _number(value: float | None) -> str:
    return formats.MISSING if value is None or pd.isna(value) else f"{value:,.10g}"


def _ratio(value: float | None) -> str:
    return formats.ratio(value)


def _growth(value: float | None) -> str:
    return "" if value is None or pd.isna(value) else f"{100 * value:+.1f} %"
