"""What did the paper measure on its Virtex 7? Its Tables II, III and IV, (a) and (b)."""

import csv
from dataclasses import dataclass
from importlib.resources import files

RESOURCES = {
    "luts": "slice LUTs",
    "registers": "slice registers",
    "block_rams": "block RAM",
    "dsps": "DSP",
}
"""Columns of the tables (a) and what reports call them; block RAMs are of 36 Kbit, DSPs DSP48E1s."""
POWERS = ("clocks", "logic", "signals", "block_ram", "dsp", "static")
"""Columns of the tables (b), in watts, but for their total."""


@dataclass(frozen=True)
class Design:
    """A row of the tables (a) and of the tables (b).

    Attributes:
        sets: of the MCACHE; None: the baseline, which has none.
        ways: of a set.
        resources: by :data:`RESOURCES`.
        watts: of on-chip power, by :data:`POWERS`.
        total_watts: as printed: about 0.106 W more than ``watts`` add up to, whichever the design.
    """

    sets: int | None
    ways: int | None
    resources: dict[str, float]
    watts: dict[str, float]
    total_watts: float

    @property
    def name(self) -> str:
        """As :func:`design_name` writes it."""
        return design_name(self.sets, self.ways)


def design_name(sets: int | None, ways: int | None) -> str:
    """``64 sets x 16 ways``, or ``baseline`` where there are no sets."""
    return f"{sets} sets x {ways} ways" if sets else "baseline"


def _read() -> tuple[Design, ...]:
    text = (files("mercuric.accelerator.energy") / "virtex7.csv").read_text(encoding="utf-8")
    return tuple(
        Design(
            sets=int(row["sets"]) if row["sets"] else None,
            ways=int(row["ways"]) if row["ways"] else None,
            resources={name: float(row[name]) if "." in row[name] else int(row[name]) for name in RESOURCES},
            watts={name: float(row[name]) for name in POWERS},
            total_watts=float(row["total"]),
        )
        for row in csv.DictReader(text.splitlines())
    )


DESIGNS = _read()
"""The baseline, then every MCACHE, each once."""
BASELINE = DESIGNS[0]
MCACHES = tuple((one.sets, one.ways) for one in DESIGNS if one.sets is not None and one.ways is not None)
"""Sets and ways of the designs that have an MCACHE."""
LARGEST = next(one for one in DESIGNS if (one.sets, one.ways) == (64, 16))
TABLES: dict[str, tuple[Design, ...]] = {
    "II": tuple(one for one in DESIGNS if one.ways == 16),
    "III": tuple(sorted((one for one in DESIGNS if one.sets == 64), key=lambda one: one.ways or 0)),
    "IV": (BASELINE, LARGEST),
}
"""Rows by table, in the paper's order: sets at 16 ways, ways at 64 sets, with and without MERCURY."""


def design(sets: int | None, ways: int | None) -> Design | None:
    """The row of an MCACHE, or of the baseline; None: the paper has none of that size."""
    return next((one for one in DESIGNS if (one.sets, one.ways) == (sets, ways)), None)
