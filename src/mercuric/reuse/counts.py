"""How many vectors were compared, and what became of them?"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mercuric.saved_state import Whole
from mercuric.similarity import Hitmap, HitState


@dataclass
class Counts:
    """Sums over the passes since the last reset; zero vectors counted apart.

    ``HIT + MAU + MNU`` are all vectors; ``zero`` of them are all zeros, and ``zero_hits`` of the
    HITs are.
    """

    hit: Whole = 0
    mau: Whole = 0
    mnu: Whole = 0
    zero: Whole = 0
    zero_hits: Whole = 0

    def add(self, hitmap: Hitmap, zero: Tensor) -> None:
        """Count one pass; ``zero`` (bool, as the Hitmap) says which vectors are all zeros."""
        states, hits = hitmap.states, hitmap.hits
        found, inserted = _count(hits), _count(states == HitState.MAU.value)
        self.hit += found
        self.mau += inserted
        self.mnu += states.numel() - found - inserted
        self.zero += _count(zero)
        self.zero_hits += _count(zero & hits)

    @property
    def vectors(self) -> int:
        """All vectors counted."""
        return self.hit + self.mau + self.mnu

    @property
    def columns(self) -> dict[str, int]:
        """The counts by the names that reports give them."""
        return {
            "HIT": self.hit,
            "MAU": self.mau,
            "MNU": self.mnu,
            "zero": self.zero,
            "zero_hits": self.zero_hits,
        }


def _count(flags: Tensor) -> int:
    return int(torch.count_nonzero(flags))
