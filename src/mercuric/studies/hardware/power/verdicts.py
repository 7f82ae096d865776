"""What does the paper claim of MERCURY's power, and what do its own tables and our circuits say?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import pandas as pd

from mercuric.accelerator.energy.cells import CELLS_45NM
from mercuric.accelerator.energy.virtex7 import BASELINE, DESIGNS, LARGEST
from mercuric.files.json_text import records
from mercuric.rtl.activity import Activity
from mercuric.studies.hardware.power.config import PowerConfig
from mercuric.studies.hardware.power.watts import RESULTS, Chip, power_table

Calibration = Literal["kind", "whole"]
HOLDS, FAILS, UNKNOWN = "holds", "does not hold", "can't be told"
Design = tuple[int, int]
Watts = Mapping[Design, float]
_WIRES_UM = (0.0, 50.0, 500.0)
"""Lengths of wires between which a verdict must not change."""
_BASE = 0, 0


@dataclass(frozen=True)
class Verdict:
    """A claim beside our figures.

    Attributes:
        name: in a word.
        claim: what the paper says.
        paper: the figure of its tables, as a fraction.
        ours: the same with results in registers, by kind.
        low: the least of ours over all variants.
        high: the largest.
        said: whether it holds.
        why: in a sentence.
    """

    name: str
    claim: str
    paper: float
    ours: float
    low: float
    high: float
    said: str
    why: str


def as_printed(table: pd.DataFrame, by: Calibration = "kind") -> dict[Design, float]:
    """Our designs in watts of the paper's FPGA: what they take more than our baseline, on the paper's.

    Args:
        table: as :func:`~mercuric.studies.hardware.power.watts.power_table` gives it, the baseline in it.
        by: ``"kind"``: a clocked flip-flop at the paper's clocks over its registers, since its baseline has
            more than the circuits; logic, signals and DSPs each as the paper's of the baseline to ours; no
            memory, for the paper's is mostly a global buffer. ``"whole"``: one factor, from the four
            together, for all kinds.
    """
    kinds, listed, ours = ("logic", "signals", "dsp"), BASELINE.watts, _rows(table)
    base = ours[_BASE]
    if by == "whole":
        four = ("clocks", *kinds)
        factors = {"dynamic": sum(listed[kind] for kind in four) / sum(base[kind] for kind in four)}
    else:
        factors = {kind: listed[kind] / base[kind] for kind in kinds}
        factors["flip_flops"] = listed["clocks"] / BASELINE.resources["registers"]
    return {
        design: BASELINE.total_watts + sum(factor * (row[of] - base[of]) for of, factor in factors.items())
        for design, row in ours.items()
    }


def _rows(table: pd.DataFrame) -> dict[Design, dict[str, float]]:
    rows: list[dict[str, float]] = [{str(key): value for key, value in row.items()} for row in records(table)]
    return {(int(row["sets"]), int(row["ways"])): row for row in rows}


def _variants(chip: Chip) -> list[tuple[Chip, Calibration]]:
    """What no text tells: where results are, how long wires are, and how circuits compare with an FPGA."""
    found: list[tuple[Chip, Calibration]] = []
    for results in RESULTS:
        held = replace(chip, results=results)
        found.append((held, "kind"))
        found += [(replace(held, cells=CELLS_45NM.changed(wire_um=um)), "whole") for um in _WIRES_UM]
    return found


def verdicts(
    activities: Mapping[Design, Activity], config: PowerConfig, chip: Chip | None = None
) -> list[Verdict]:
    """Each claim that can be tested with the designs that were run.

    A growth holds where all variants give from half of it to twice as much, and does not where none does.
    """
    tables = [(power_table(activities, config, one), by) for one, by in _variants(chip or Chip())]
    ours, theirs = [as_printed(table, by) for table, by in tables], _paper()
    known = set(activities)
    found = [
        _growth(name, claim, before, after, theirs, ours)
        for name, (claim, before, after) in _GROWTHS.items()
        if {before, after} <= known
    ]
    found += [
        _doublings(what, steps, theirs, ours)
        for what, steps in (("sets", ((16, 16), (32, 16), (64, 16))), ("ways", _WAYS))
        if set(steps) <= known
    ]
    if (64, 16) in known:
        found.append(_majority([table for table, _ in tables]))
    return found


_WAYS = ((64, 2), (64, 4), (64, 8), (64, 16))
_GROWTHS: dict[str, tuple[str, Design, Design]] = {
    "sets": ("quadrupling the sets (16 to 64) takes 6.5 % more power", (16, 16), (64, 16)),
    "ways": ("2 to 16 ways takes 3.98 % more", (64, 2), (64, 16)),
    "step": ("512 entries of 8 ways to 1024 of 16 takes 2.85 % more", (64, 8), (64, 16)),
    "mcache": ("MERCURY takes 1.135x the power", _BASE, (64, 16)),
}


def verdicts_table(found: Sequence[Verdict]) -> pd.DataFrame:
    """A claim a row."""
    return pd.DataFrame([vars(one) for one in found])


def _paper() -> dict[Design, float]:
    return {(one.sets or 0, one.ways or 0): one.total_watts for one in DESIGNS}


def _growth(
    name: str, claim: str, before: Design, after: Design, theirs: Watts, ours: Sequence[Watts]
) -> Verdict:
    def grown(watts: Watts) -> float:
        return watts[after] / watts[before] - 1

    paper, found = grown(theirs), [grown(watts) for watts in ours]
    fits = [paper / 2 <= growth <= 2 * paper for growth in found]
    said = HOLDS if all(fits) else UNKNOWN if any(fits) else FAILS
    why = f"{sum(fits)} of {len(fits)} variants are within half and twice the tables' {100 * paper:.2f} %"
    return Verdict(name, claim, paper, found[0], min(found), max(found), said, why)


def _doublings(what: str, steps: Sequence[Design], theirs: Watts, ours: Sequence[Watts]) -> Verdict:
    def grown(watts: Watts) -> list[float]:
        return [watts[after] / watts[before] - 1 for before, after in pairwise(steps)]

    paper, found = grown(theirs), [grown(watts) for watts in ours]
    rise = all(growth > 0 for each in found for growth in each)
    least, most = ([pick(each) for each in zip(*found, strict=True)] for pick in (min, max))
    shown = ", ".join(f"{100 * low:.1f} to {100 * high:.1f} %" for low, high in zip(least, most, strict=True))
    why = f"the tables' doublings take {_listed(paper)}, ours {shown}"
    claim = f"each doubling of the {what} takes more power"
    said = HOLDS if rise and min(paper) > 0 else FAILS
    return Verdict(
        f"each doubling of {what}", claim, min(paper), min(found[0]), min(least), max(most), said, why
    )


def _majority(tables: Sequence[pd.DataFrame]) -> Verdict:
    """Of what MERCURY takes more than the baseline, how much is signals and logic?"""
    more = {kind: 1000 * (LARGEST.watts[kind] - BASELINE.watts[kind]) for kind in BASELINE.watts}
    total, parts = 1000 * (LARGEST.total_watts - BASELINE.total_watts), more["signals"] + more["logic"]
    paper, dynamic = parts / total, parts / (sum(more.values()) - more["static"])
    found = [_share(table) for table in tables]
    why = (
        f"signals and logic are {parts:.0f} of {total:.0f} mW, {100 * dynamic:.0f} % of what is dynamic; "
        f"clocks {more['clocks']:.0f} and block RAM {more['block_ram']:.0f} mW"
    )
    said = HOLDS if min(found) > 0.5 else FAILS if max(found) < 0.5 >= round(paper, 3) else UNKNOWN
    claim = "most of it is signals and logic"
    return Verdict("signals and logic", claim, paper, found[0], min(found), max(found), said, why)


def _share(table: pd.DataFrame) -> float:
    rows = _rows(table)
    base, mercury = rows[_BASE], rows[64, 16]
    parts = sum(mercury[kind] - base[kind] for kind in ("signals", "logic"))
    return parts / (mercury["dynamic"] - base["dynamic"])


def _listed(growths: Sequence[float], text: Callable[[float], str] = "{:.1f}".format) -> str:
    return ", ".join(f"{text(100 * growth)} %" for growth in growths)
