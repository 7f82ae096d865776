"""What did the MCACHE say of each input vector?"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class HitState(IntEnum):
    """State of a vector in the Hitmap (paper III-B3, Fig. 9)."""

    HIT = 0
    """The signature is in the MCACHE: the stored result is reused."""
    MAU = 1
    """Miss and update: the signature was inserted, the result will be stored."""
    MNU = 2
    """Miss, no update: the result is computed and not stored; the set is full, or the vector isn't finite."""


@dataclass(frozen=True)
class Hitmap:
    """The outcome of a batch of MCACHE accesses.

    Attributes:
        states: uint8, (scopes, vectors): values of :class:`HitState`.
        representatives: int64, (scopes, vectors): the index, within its scope, of the vector whose
            result is used; a miss is its own representative.
    """

    states: Tensor
    representatives: Tensor

    @property
    def hits(self) -> Tensor:
        """bool, (scopes, vectors): which vectors reuse a result."""
        return self.states == HitState.HIT.value

    @cached_property
    def hits_of_scopes(self) -> NDArray[np.int64]:
        """int64, (scopes,): how many vectors of each scope reuse a result; counted once."""
        counts: NDArray[np.int64] = self.hits.sum(dim=1).cpu().numpy()
        return counts

    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """States and representatives in the CPU's memory, one row after another."""
        states, representatives = (
            part.detach().cpu().contiguous().numpy() for part in (self.states, self.representatives)
        )
        return states, representatives
