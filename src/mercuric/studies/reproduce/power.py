"""What do our circuits draw, beside the tables (b) of the paper?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mercuric.accelerator.energy.virtex7 import BASELINE, TABLES
from mercuric.files.reading import read_json_object
from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.hardware.power.page import subject
from mercuric.studies.hardware.power.summary import SUMMARY
from mercuric.studies.hardware.power.verdicts import HOLDS
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import PAPER, bars, tabulated

_PLACES = {"registers": "results in registers", "memory": "results in a memory"}


def power_found(folder: Path, number: str, growth: str, others: Mapping[str, str]) -> Found:
    """What the paper's table tells, by what our circuits do on a layer.

    Args:
        folder: of ``mercuric hardware power``.
        number: of the paper's table.
        growth: the verdict that its statement ``growth`` asks for.
        others: verdicts by other statements.
    """
    summary = read_json_object(folder / SUMMARY)
    numbers = {"growth": growth_of(summary, growth)}
    numbers |= {name: _answer(summary, verdict) for name, verdict in others.items()}
    names, series = _watts(summary, number)
    return Found(
        numbers, _why(numbers["growth"], number), setting_of_power(summary),
        [
            Picture(
                f"table-{number.lower()}b", "On-chip power",
                "Ours on the source's watts of the baseline; what MERCURY takes more is counted.",
                bars(names, series, "W"),
            )
        ],
        [tabulated("design", names, series, _watt)],
    )  # fmt: skip


def growth_of(summary: Mapping[str, Any], name: str) -> Number:
    """A growth between two designs, over all that no text tells."""
    one = _verdict(summary, name)
    if one is None:
        return Number(None, beside="the run has not the MCACHEs that it takes")
    beside = f"{one['said']}: {one['why']}"
    return Number(float(one["ours"]), spread=(float(one["low"]), float(one["high"])), beside=beside)


def setting_of_power(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was run, and what the spread is over."""
    return [
        ("Layer", subject(summary)),
        ("Spread", "results in registers or a memory; put on the source's watts by kind, or as a whole with "
            "wires of 0, 50 and 500 um"),
    ]  # fmt: skip


def _answer(summary: Mapping[str, Any], name: str) -> Number:
    """A share as a growth is; whether something always grows, as a truth."""
    one = _verdict(summary, name)
    if one is None or not name.startswith("each"):
        return growth_of(summary, name)
    return Number(float(one["said"] == HOLDS), beside=str(one["why"]))


def _verdict(summary: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    return next((one for one in summary["verdicts"] if one["name"] == name), None)


def _watts(summary: Mapping[str, Any], number: str) -> tuple[list[str], dict[str, list[float | None]]]:
    designs = [BASELINE, *(one for one in TABLES[number] if one.sets is not None)]
    ours = {(one["results"], one["design"]): one["printed"] for one in summary["designs"]}
    there = [one for one in designs if ("registers", one.name) in ours]
    series: dict[str, list[float | None]] = {PAPER: [one.total_watts for one in there]}
    for place, words in _PLACES.items():
        series[words] = [ours[place, one.name] for one in there]
    return [one.name for one in there], series


def _why(growth: Number, number: str) -> str:
    if growth.ours is None or growth.spread is None:
        return f"The run has not the MCACHEs of Table {number}."
    low, high = (formats.percent(end) for end in growth.spread)
    return (
        f"{formats.percent(growth.ours)} with results in registers; {low} to {high} as one takes what no "
        "text tells: where results are, how long wires are, how a circuit compares with an FPGA."
    )


def _watt(value: float | None) -> str:
    return formats.MISSING if value is None else f"{value:.3f}"
