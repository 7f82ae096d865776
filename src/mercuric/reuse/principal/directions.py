"""In which directions do a layer's outputs lie?

No linear map of rank r from a layer's inputs comes closer to its outputs, in the mean square, than the
outputs' own r principal directions (Eckart and Young); principal directions of the inputs need about
twice the rank for the same error on photographs (``docs/performance.md``). Directions are taken about
zero, not about the mean: then what is computed is a layer with other weights, ``U U^T W``, and no more.
"""

from dataclasses import dataclass
from math import ceil, sqrt

import torch
from torch import Tensor

from mercuric.reuse.principal.config import PrincipalConfig
from mercuric.reuse.ranks import summed


@dataclass(frozen=True)
class Directions:
    """An orthonormal basis of what is computed of a layer's outputs.

    Attributes:
        basis: float32 or float64, (filters, rank), orthonormal columns.
    """

    basis: Tensor

    @property
    def rank(self) -> int:
        """How many directions."""
        return self.basis.shape[1]

    def project(self, outputs: Tensor) -> Tensor:
        """What a projected layer computes instead of ``outputs``, (vectors, filters), by definition."""
        return outputs @ self.basis @ self.basis.T

    def error(self, outputs: Tensor) -> float:
        """Relative error ||project(outputs) - outputs|| / ||outputs||, of the outputs of all ranks."""
        squares = torch.stack([(self.project(outputs) - outputs).square().sum(), outputs.square().sum()])
        left, whole = map(float, summed(squares.double()))
        return sqrt(left / whole) if whole else sqrt(left)


def principal_directions(outputs: Tensor, config: PrincipalConfig, length: int) -> Directions | None:
    """Estimate the directions from sampled outputs; the same on every rank of a distributed training.

    Args:
        outputs: (vectors, filters), dense outputs without bias.
        config: rank, and the error that may ask for more.
        length: elements of an input vector.

    Returns:
        None where no rank serves: it would reach the filters, the input's elements, or the samples.
    """
    exact = outputs.detach().double() if outputs.dtype == torch.float64 else outputs.detach().float()
    count = int(summed(torch.tensor(len(exact))))
    energies, vectors = torch.linalg.eigh(summed(exact.T @ exact))
    rank = _rank(energies.flip(0), config)
    if rank >= min(exact.shape[1], length, count):
        return None
    return Directions(vectors.flip(1)[:, :rank].contiguous())


def sampled_rows(rows: Tensor, samples: int) -> Tensor:
    """At most ``samples`` of the rows, evenly spread."""
    return rows[:: max(1, ceil(len(rows) / samples))]


def _rank(energies: Tensor, config: PrincipalConfig) -> int:
    """Directions to keep, given the sum of squares along each in descending order."""
    least = config.rank if isinstance(config.rank, int) else 0
    wanted = ceil(config.rank * len(energies)) if isinstance(config.rank, float) else 0
    if config.error is not None:
        left = energies.clamp(min=0).flip(0).cumsum(0).flip(0)
        wanted = max(wanted, int((left > config.error**2 * left[0]).sum()))
    if wanted <= least:
        return least
    return config.multiple * ceil(max(1, wanted) / config.multiple)
