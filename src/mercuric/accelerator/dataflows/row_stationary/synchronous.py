"""How many cycles does a product take where all PE sets wait for the slowest after each filter?

The synchronous design (paper III-C1).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercuric.accelerator.dataflows.dot_product import Pace
from mercuric.accelerator.dataflows.row_stationary.late_hits import Turns


@dataclass(frozen=True)
class SynchronousProduct:
    """One product of a layer with reuse.

    Attributes:
        misses: int64, (scopes, PE sets): dot products that each set computes for a filter; a row is of
            several scopes where these are side by side.
        lengths: int64, (PE sets,), or as ``misses``: vectors of each set.
        filters: of a scope, one after the other; 1 where a set has a block of a scope's products.
        pace: of the dot products.
    """

    misses: NDArray[np.int64]
    lengths: NDArray[np.int64]
    filters: int
    pace: Pace

    def cycles(self, turns: Turns | None = None) -> int:
        """Cycles over all scopes and filters.

        Args:
            turns: how HITs wait for results; None: they are taken as ready.
        """
        if turns is not None:
            return self.filters * int(turns.slowest(self.pace).sum())
        work = self.misses * self.pace.interval + (self.misses > 0) * self.pace.drain
        return self.filters * int((work + self.lengths - self.misses).max(axis=1, initial=0).sum())
