"""Which map of few ranks brings a layer's responses nearest to what they were, behind its ReLU?

    min over M, b of  sum ||r(y) - r(M y' + b)||^2,  rank M <= r

with y the trained network's responses and y' those of the changed one (Zhang and others, TPAMI 2016). Relaxed
by z in the place of M y' + b, at a penalty of its distance, two steps take turns: M and b for given z are a
regression of reduced rank, and z for given M and b has a closed form for each number.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

PENALTIES = (0.01, 1.0)
"""Each for half of the turns."""
TURNS = 25
"""Of each penalty."""
_LEAST = 1e-6
"""Of the largest energy: components of less are rounding, or of too few samples to go by."""


@dataclass(frozen=True)
class Reconstruction:
    """The map ``out into^T y' + shift``.

    Attributes:
        out: (filters, rank), orthonormal.
        into: (filters, rank).
        shift: (filters,).
    """

    out: Tensor
    into: Tensor
    shift: Tensor

    def __call__(self, rows: Tensor) -> Tensor:
        """Map (samples, filters)."""
        return rows @ self.into @ self.out.T + self.shift


def reconstructed(given: Tensor, wanted: Tensor, rank: int, relu: bool, turns: int = TURNS) -> Reconstruction:
    """The map.

    Args:
        given: (samples, filters): responses of the changed network.
        wanted: those of the trained one at the same places.
        rank: of the map.
        relu: whether a ReLU is behind the layer; else the linear map is found at once.
        turns: for each penalty.
    """
    regression = _Regression(given, rank)
    found = regression.fitted(wanted)
    if not relu:
        return found
    target = wanted.clamp(min=0)
    for penalty in PENALTIES:
        for _ in range(turns):
            found = regression.fitted(_auxiliary(found(given), target, penalty))
    return found


def _auxiliary(mapped: Tensor, target: Tensor, penalty: float) -> Tensor:
    """The z, number by number, of least (target - r(z))^2 + penalty (z - mapped)^2."""
    negative, positive = mapped.clamp(max=0), ((penalty * mapped + target) / (penalty + 1)).clamp(min=0)
    below = target.square() + penalty * (negative - mapped).square()
    above = (target - positive).square() + penalty * (positive - mapped).square()
    return torch.where(below < above, negative, positive)


class _Regression:
    """Regressions of reduced rank on the same responses, in their principal components of equal energy."""

    def __init__(self, given: Tensor, rank: int) -> None:
        self.mean, self.rank = given.mean(0), rank
        centred = (given - self.mean).double()
        energies, vectors = torch.linalg.eigh(centred.T @ centred)
        some = energies > _LEAST * energies[-1]
        whitening = vectors[:, some] / energies[some].sqrt()
        self.whitening = whitening.to(given.dtype)
        self.components = (centred @ whitening).to(given.dtype)

    def fitted(self, wanted: Tensor) -> Reconstruction:
        mean = wanted.mean(0)
        whole = (wanted - mean).T @ self.components
        out = torch.linalg.eigh(whole @ whole.T)[1][:, -self.rank :]
        into = self.whitening @ (whole.T @ out)
        return Reconstruction(out, into, mean - out @ (into.T @ self.mean))
