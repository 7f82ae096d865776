"""What do our circuits take of an FPGA, beside the tables (a) of the paper?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mercuric.accelerator.energy.virtex7 import BASELINE, RESOURCES, TABLES, Design
from mercuric.files.reading import read_json_object
from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.hardware.synthesis.page import array, table
from mercuric.studies.hardware.synthesis.tables import SUMMARY, Comparison, comparisons, value_of
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import PAPER, bars

_BY = {"II": "sets", "III": "ways", "IV": None}
_GROWS = ("registers", "luts")
_RISE = {"II": _GROWS, "III": ("registers",)}
"""What rises with every row of the paper's table."""


@dataclass(frozen=True)
class Synthesis:
    """A run, and which of the paper's tables is asked of it.

    Attributes:
        summary: ``synthesis.json``.
        number: of the table.
    """

    summary: Mapping[str, Any]
    number: str

    @property
    def place(self) -> str:
        """Where the MCACHE's results are."""
        return {"registers": "results in registers", "memory": "results in a memory"}[
            self.summary["config"]["results"]
        ]

    @property
    def comparison(self) -> Comparison | None:
        """Ours beside the table or, of other sizes, what grows by the same."""
        there = comparisons(self.summary["circuits"])
        alike = [one for one in there if one.by == _BY[self.number]]
        return next((one for one in there if one.number == self.number), alike[-1] if alike else None)

    def rows(self, figure: str) -> pd.DataFrame:
        """Of the comparison, a design a row."""
        if self.comparison is None:
            return pd.DataFrame()
        return self.comparison.rows[self.comparison.rows["figure"] == figure]

    def value(self, design: Design, figure: str) -> float | None:
        """What a design of the table, or the baseline, takes."""
        for one in self.summary["circuits"]:
            if (one["sets"], one["ways"]) == (design.sets, design.ways):
                return value_of(one, figure)
        return None

    def more(self, figure: str, first: Design, last: Design) -> float | None:
        """What one design takes more than another, as a share of that."""
        before, after = (self.value(one, figure) for one in (first, last))
        return None if after is None or not before else after / before - 1

    def answers(self) -> dict[str, float | None]:
        """Of the claims' statements, by name."""
        first, last = TABLES[self.number][0], TABLES[self.number][-1]
        fewer, most = (self.value(one, "block_rams") for one in (first, last))
        dsps = {self.value(one, "dsps") for one in (BASELINE, *TABLES[self.number])}
        found = {
            **{figure: self.more(figure, first, last) for figure in _GROWS},
            "block_rams": None if fewer is None or most is None else most - fewer,
            "dsps": None if None in dsps else float(len(dsps) == 1),
        }
        if _BY[self.number] is not None:
            found |= {f"first_{figure}": self.more(figure, BASELINE, first) for figure in _GROWS}
        return found


def circuits_found(folders: Mapping[str, Path], number: str) -> Found:
    """What the paper's table tells from its first row to its last, by our circuits.

    Args:
        folders: of syntheses: the first answers, what others say stands beside.
        number: of the paper's table.
    """
    first, *others = runs = [Synthesis(read_json_object(path / SUMMARY), number) for path in folders.values()]
    numbers = {
        name: Number(value, beside=_beside(name, first, others) if value is not None else _needs(number))
        for name, value in first.answers().items()
    }
    if number in _RISE:
        numbers["rises"] = _rises(first)
    return Found(
        numbers, _why(first), _setting(runs),
        [_picture(runs, figure) for figure in _GROWS if first.comparison],
        [table(one.comparison) for one in runs if one.comparison],
    )  # fmt: skip


def _needs(number: str) -> str:
    return f"the run has not all MCACHEs of Table {number}, or no baseline"


def _beside(name: str, first: Synthesis, others: Sequence[Synthesis]) -> str:
    """How it grows from row to row, and what it is where results lie elsewhere."""
    if not name.endswith(_GROWS):
        return ""
    said = [f"{formats.percent(one.answers()[name])} with {one.place}" for one in others]
    if name in _GROWS and _BY[first.number]:
        rows = first.rows(name).iloc[1:]
        ours, theirs = (", ".join(map(_signed, rows[f"{whose}_growth"])) for whose in ("ours", "paper"))
        said.insert(0, f"row by row {ours}, the source's {theirs}")
    return "; ".join(said)


def _rises(run: Synthesis) -> Number:
    if run.comparison is None:
        return Number(None, beside=_needs(run.number))
    growth = pd.concat([run.rows(figure)["ours_growth"].iloc[1:] for figure in _RISE[run.number]])
    return Number(float((growth > 0).all()), beside=run.comparison.title)


def _why(run: Synthesis) -> str:
    ours = run.answers()
    if any(ours[figure] is None for figure in _GROWS):
        return f"{_needs(run.number).capitalize()}: smaller circuits tell no more than whether all rises."
    first, last = TABLES[run.number][0], TABLES[run.number][-1]
    mine = " and ".join(f"{formats.percent(ours[one])} more {RESOURCES[one]}" for one in _GROWS)
    theirs = (formats.percent(last.resources[one] / first.resources[one] - 1) for one in _GROWS)
    return f"From {first.name} to {last.name} our circuits take {mine}, the source's {' and '.join(theirs)}."


def _setting(runs: Sequence[Synthesis]) -> list[tuple[str, str]]:
    left = [
        ("Out of time", formats.listing(one.summary["ran_out"])) for one in runs if one.summary["ran_out"]
    ]
    return [
        *(("Circuits", array(one.summary["config"])) for one in runs),
        ("Yosys", str(runs[0].summary["yosys"])),
        *left,
    ]


def _picture(runs: Sequence[Synthesis], figure: str) -> Picture:
    rows = runs[0].rows(figure)
    series = {one.place: _known(one.rows(figure)["ours_ratio"]) for one in runs}
    if rows["paper_ratio"].notna().all():
        series = {PAPER: _known(rows["paper_ratio"]), **series}
    return Picture(
        f"table-{runs[0].number.lower()}a-{figure}", f"{RESOURCES[figure]}, over the baseline's",
        "Ours are counted by Yosys, the source's by Vivado.",
        bars([str(one) for one in rows["design"]], series, "over the baseline's"),
    )  # fmt: skip


def _known(column: "pd.Series[Any]") -> list[float | None]:
    return [None if pd.isna(value) else float(value) for value in column]


def _signed(value: float | None) -> str:
    return formats.MISSING if value is None or pd.isna(value) else f"{100 * value:+.1f} %"
