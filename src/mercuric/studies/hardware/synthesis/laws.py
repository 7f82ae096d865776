"""By which laws do the paper's tables grow, and do our circuits grow by the same?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mercuric.accelerator.energy.virtex7 import BASELINE, design
from mercuric.studies.hardware.synthesis.tables import Circuits, value_of

PES = 168
"""Of the paper's array (VI)."""

Value = Callable[[int, int, str], float | None]
"""A figure of an MCACHE of so many sets and ways, without the baseline's."""


@dataclass(frozen=True)
class Law:
    """Something that the tables imply.

    Attributes:
        what: it is.
        paper: what the paper's rows of these sizes give; None: there are too few.
        ours: what our circuits give.
        why: what ours comes from, and what follows for the paper's.
    """

    what: str
    paper: float | None
    ours: float | None
    why: str


def laws(circuits: Circuits, config: Mapping[str, Any]) -> list[Law]:
    """What follows from the circuits, and what doesn't.

    Args:
        circuits: as ``synthesis.json`` has them.
        config: what they have alike.
    """
    baseline = next((one for one in circuits if one["sets"] is None), None)
    mercury = {(one["sets"], one["ways"]): one for one in circuits if one["sets"] is not None}
    if baseline is None or not mercury:
        return []

    def ours(sets: int, ways: int, figure: str) -> float:
        return value_of(mercury[sets, ways], figure) - value_of(baseline, figure)

    sizes = list(mercury)
    return [
        *_registers(sizes, ours, config),
        *_block_rams(sizes, ours),
        *_luts(sizes, ours),
        _dsps(baseline, config),
    ]


def published(sets: int, ways: int, figure: str) -> float | None:
    """A figure of the paper's without its baseline's; None: it has none of that size."""
    found = design(sets, ways)
    return None if found is None else found.resources[figure] - BASELINE.resources[figure]


def plane(sizes: list[tuple[int, int]], value: Value, figure: str) -> tuple[float, float, float] | None:
    """What comes with any MCACHE, with a set and with an entry, by least squares; None: of too few sizes."""
    known = [(sets, ways, value(sets, ways, figure)) for sets, ways in sizes]
    rows = [((1.0, sets, sets * ways), added) for sets, ways, added in known if added is not None]
    if not rows:
        return None
    terms, added = np.array([row for row, _ in rows]), np.array([one for _, one in rows])
    if np.linalg.matrix_rank(terms) < terms.shape[1]:
        return None
    constant, a_set, an_entry = np.linalg.lstsq(terms, added, rcond=None)[0]
    return float(constant), float(a_set), float(an_entry)


def _registers(sizes: list[tuple[int, int]], ours: Value, config: Mapping[str, Any]) -> list[Law]:
    found, of_paper = (plane(sizes, value, "registers") for value in (ours, published))
    parts = [found or (None,) * 3, of_paper or (None,) * 3]
    entry = f"a tag of {config['bits']} bits, VT and VD"
    if config["results"] == "registers":
        entry += f", and a result of {config['word_bits']} bits"
    hitmaps = "Hitmaps of one port are LUT memory" if config["hitmap_ports"] == 1 else "and Hitmaps"
    queue = f"an insertion queue of {config['queue']} places"
    if config["queue_ports"] == 1:
        queue = f"counters of {queue}, which are LUT memory"
    names = {
        "registers beside the baseline's, whatever the MCACHE": "turns, pipeline and controller, which go "
        f"with PE sets and the vectors that each has room for; {hitmaps}",
        "registers a set": queue,
        "registers an entry": f"{entry}; 17.5 are not enough for a tag and a result of 16 bits, so the "
        "paper's tables leave results out, whatever its text says of slice registers",
    }
    return [
        Law(what, theirs, mine, why)
        for (what, why), mine, theirs in zip(names.items(), *parts, strict=True)
        if mine is not None
    ]


def _block_rams(sizes: list[tuple[int, int]], ours: Value) -> list[Law]:
    why = (
        "our MCACHE reads within a cycle, which block memory can't; a set's tags (16 of 20 bits) fill less "
        "than a hundredth of one. A set's results in a block of its own would explain the paper's block a "
        "set, and why its entries have no registers for results"
    )
    rows = [(sets, ways) for sets, ways in sizes if published(sets, ways, "block_rams") is not None]
    theirs = [(published(*one, "block_rams") or 0.0) / one[0] for one in rows]
    mine = [(ours(*one, "block_rams") or 0.0) / one[0] for one in sizes]
    return [Law("block RAMs a set", float(np.mean(theirs)) if theirs else None, float(np.mean(mine)), why)]


def _luts(sizes: list[tuple[int, int]], ours: Value) -> list[Law]:
    """How many times the LUTs that an MCACHE adds grow from the least sets, or ways, to the most."""
    found = []
    for place, (by, fixed) in enumerate((("sets", "ways"), ("ways", "sets"))):
        for value in sorted({one[1 - place] for one in sizes}):
            row = sorted((one for one in sizes if one[1 - place] == value), key=lambda one, at=place: one[at])  # type: ignore[misc]
            if len(row) < 2:
                continue
            few, many = row[0], row[-1]
            what = f"added LUTs, {many[place]} over {few[place]} {by} of {value} {fixed}"
            mine, theirs = (_grown(value_of_, few, many) for value_of_ in (ours, published))
            if mine is not None:
                found.append(Law(what, theirs, mine, _SATURATES))
    return found


_SATURATES = (
    "comparators, queues and what chooses among entries go with sets and entries; the paper's stay at the "
    "217k LUTs that it has from 48 sets of 16 ways on, and already at 64 sets of 2: something bounds them "
    "that the text doesn't name"
)


def _grown(value: Value, few: tuple[int, int], many: tuple[int, int]) -> float | None:
    less, more = value(*few, "luts"), value(*many, "luts")
    return more / less if more is not None and less else None


def _dsps(baseline: Mapping[str, Any], config: Mapping[str, Any]) -> Law:
    pes = config["rows"] * config["columns"]
    pes -= pes % config["kernel_rows"]
    return Law(
        "DSPs beyond one a PE",
        BASELINE.resources["dsps"] - PES,
        value_of(baseline, "dsps") - pes,
        "a product of 16 x 16 bits is one DSP48E1, and nothing else here multiplies; the paper's 30 more are "
        "in its baseline too, so they are not MERCURY's",
    )
