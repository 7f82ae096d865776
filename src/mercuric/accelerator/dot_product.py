"""How many cycles do dot products take on one PE set?

A PE set has one PE a row of the window; each PE holds the elements of its row (paper III-B2, Fig. 8).
"""

from typing import Literal

Timing = Literal["paper", "fair"]
"""``"paper"``: only signature bits are pipelined. ``"fair"``: all dot products are, the baseline's too."""

TIMINGS: tuple[Timing, ...] = ("paper", "fair")


def lone_cycles(rows: int, elements: int) -> int:
    """Cycles of a dot product that overlaps with no other: ``elements + rows`` (2k for k x k, Fig. 8a)."""
    return elements + rows


def drain_cycles(rows: int) -> int:
    """Cycles from the last multiplication of a pipelined stream until its last sum leaves (Fig. 8b).

    One cycle for the last product's addition, then one for the sum to pass each PE.
    """
    return rows + 1


def pipelined_cycles(rows: int, elements: int, count: int) -> int:
    """Cycles of ``count`` dot products in a row: ``2k + 1`` for the first k x k, ``k`` for each after it."""
    return count * elements + drain_cycles(rows) if count else 0
