"""How many cycles do dot products take on one PE set?

A PE set has one PE a row of the window; each PE holds the elements of its row (paper III-B2, Fig. 8).
"""

from dataclasses import dataclass
from typing import Literal, Self

Timing = Literal["paper", "fair"]
"""``"paper"``: only signature bits are pipelined. ``"fair"``: all dot products are, the baseline's too."""

TIMINGS: tuple[Timing, ...] = ("paper", "fair")
COLUMN_PREFIXES: dict[Timing, str] = {"paper": "cycles", "fair": "fair"}
"""How the columns of a timing begin in tables of layers: ``cycles_baseline``, ``fair_baseline``."""


def lone_cycles(rows: int, elements: int, mac_unit: bool = False) -> int:
    """Cycles of a dot product that overlaps with no other: ``elements + rows`` (2k for k x k, Fig. 8a).

    A MAC unit adds a product in the cycle that multiplies it: one cycle less (paper III-B2).
    """
    return elements + rows - mac_unit


def drain_cycles(rows: int, mac_unit: bool = False) -> int:
    """Cycles from the last multiplication of a pipelined stream until its last sum leaves (Fig. 8b).

    One cycle for the last product's addition, which a MAC unit has done already, then one for the sum
    to pass each PE.
    """
    return rows + 1 - mac_unit


@dataclass(frozen=True)
class Pace:
    """How the dot products of a PE set follow each other, in cycles.

    Attributes:
        interval: from the start of one to the start of the next.
        drain: from the end of the last interval until the last result leaves; 0 where none overlap.
    """

    interval: int
    drain: int

    @classmethod
    def lone(cls, rows: int, elements: int, mac_unit: bool) -> Self:
        """One after the other (Fig. 8a)."""
        return cls(lone_cycles(rows, elements, mac_unit), 0)

    @classmethod
    def pipelined(cls, rows: int, elements: int, mac_unit: bool) -> Self:
        """Overlapping (Fig. 8b)."""
        return cls(elements, drain_cycles(rows, mac_unit))

    def stream(self, count: int) -> int:
        """Cycles of ``count`` dot products in a row, until the last result has left."""
        return count * self.interval + self.drain if count else 0
