"""How many cycles does a product take where all PE sets wait for the slowest after each filter?

The synchronous design (paper III-C1).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercuric.accelerator.dataflows.dot_product import Pace
from mercuric.accelerator.dataflows.row_stationary.late_hits import Turns
from mercuric.accelerator.dataflows.row_stationary.miss_queue import queued_cycles

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class SynchronousProduct:
    """One product of a layer with reuse.

    Attributes:
        misses: int64, (scopes, PE sets): dot products that each set computes for a filter; a row is of
            several scopes where these are side by side.
        lengths: int64, (PE sets,), or as ``misses``: vectors of each set.
        filters: of a scope, one after the other; or tasks of some filters each.
        pace: of the dot products.
        last: misses and lengths of each scope's last task, where it has fewer filters than the others.
        queued: whether sets take the pairs of a task from a queue; misses and lengths then add up to these.
    """

    misses: Counts
    lengths: Counts
    filters: int
    pace: Pace
    last: tuple[Counts, Counts] | None = None
    queued: bool = False

    def cycles(self, turns: Turns | None = None) -> int:
        """Cycles over all scopes and filters.

        Args:
            turns: how HITs wait for results; None: they are taken as ready.
        """
        if turns is not None:
            each = int(turns.slowest(self.pace).sum())
            last = int(turns.last.slowest(self.pace).sum()) if turns.last else each
        else:
            each = self._slowest(self.misses, self.lengths)
            last = self._slowest(*self.last) if self.last else each
        return (self.filters - 1) * each + last if self.filters else 0

    def _slowest(self, misses: Counts, lengths: Counts) -> int:
        """Cycles of a task of every scope."""
        if self.queued:
            computed, pairs = misses.sum(axis=1), np.broadcast_to(lengths, misses.shape).sum(axis=1)
            return int(queued_cycles(computed, pairs - computed, misses.shape[1], self.pace).sum())
        work = misses * self.pace.interval + (misses > 0) * self.pace.drain
        return int((work + lengths - misses).max(axis=1, initial=0).sum())
