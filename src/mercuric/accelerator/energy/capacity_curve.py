"""What does a word of a memory cost by the memory's capacity?"""

from dataclasses import dataclass
from itertools import pairwise
from math import inf, log

from mercuric.errors import ArgumentError

Points = tuple[tuple[float, float], ...]
"""Capacities in KiB, and what a word of such a memory costs, both increasing."""


@dataclass(frozen=True)
class CapacityCurve:
    """Costs between published capacities: straight lines between the points, both axes logarithmic.

    Below the first point and above the last one the line through the nearest two goes on.

    Attributes:
        points: at least two.

    Raises:
        ValueError: a point alone, a number that is not above 0, or points that do not increase.
    """

    points: Points

    def __post_init__(self) -> None:
        if len(self.points) < 2:
            raise ArgumentError(f"curve was {list(self.points)}, but must have at least two points")
        for kib, cost in self.points:
            if not (0 < kib < inf and 0 < cost < inf):
                raise ArgumentError(
                    f"curve had a point of {kib} KiB at a cost of {cost}, but both must be above 0"
                )
        for (kib, cost), (larger, dearer) in pairwise(self.points):
            if larger <= kib or dearer <= cost:
                raise ArgumentError(
                    f"curve went from {cost} at {kib} KiB to {dearer} at {larger} KiB, but capacities and "
                    "costs must both increase"
                )

    def at(self, kib: float) -> float:
        """What a word of a memory of ``kib`` KiB costs."""
        inner = sum(kib > known for known, _ in self.points[1:-1])
        (small, cheap), (large, dear) = self.points[inner : inner + 2]
        slope = log(dear / cheap) / log(large / small)
        return float(cheap * (kib / small) ** slope)
