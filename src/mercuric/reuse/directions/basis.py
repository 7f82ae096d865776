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

from mercuric.reuse.directions.config import Directions
from mercuric.reuse.distributed import alone, summed

_LinAlgError = torch.linalg.LinAlgError  # type: ignore[attr-defined]


@dataclass(frozen=True)
class PrincipalDirections:
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
        exact, basis = scaled(outputs), self.basis.to(_workplace(self.basis), torch.float64)
        rest = exact @ basis @ basis.T - exact
        left, whole = map(float, summed(torch.stack([rest.square().sum(), exact.square().sum()])))
        return sqrt(left / whole) if whole else 0.0


def principal_directions(outputs: Tensor, config: Directions, length: int) -> PrincipalDirections | None:
    """Estimate the directions from sampled outputs; the same on every rank of a distributed training.

    Args:
        outputs: (vectors, filters), dense outputs without bias, finite.
        config: rank, and the error that may ask for more.
        length: elements of an input vector.

    Returns:
        None where no rank serves: it would reach the filters, the input's elements, or the samples. A
        layer whose outputs can't be decomposed has none either.
    """
    filters = outputs.shape[1]
    count = int(summed(torch.tensor(len(outputs))))
    most = min(filters, length, count)
    if least_rank(config, filters) >= most:
        return None
    try:
        energies, vectors = _decomposed(scaled(outputs))
    except _LinAlgError:
        return None
    rank = _rank(energies, config, filters)
    if rank >= most:
        return None
    dtype = torch.float64 if outputs.dtype == torch.float64 else torch.float32
    return PrincipalDirections(vectors[:, :rank].to(outputs.device, dtype).contiguous())


def sampled_rows(rows: Tensor, samples: int) -> Tensor:
    """At most ``samples`` of the rows, evenly spread."""
    return rows[:: max(1, ceil(len(rows) / samples))]


def least_rank(config: Directions, filters: int) -> int:
    """Directions that a layer gets at least, whatever its outputs are."""
    if isinstance(config.rank, int):
        return config.rank
    wanted = 1 if config.rank is None else ceil(config.rank * filters)
    return config.multiple * ceil(wanted / config.multiple)


def scaled(outputs: Tensor) -> Tensor:
    """``outputs`` in float64, of a size whose squares neither vanish nor overflow, alike on every rank."""
    exact = outputs.detach().to(_workplace(outputs), torch.float64)
    largest = exact.abs().max() if exact.numel() else exact.new_zeros(())
    scale = float(summed(largest))
    return exact / scale if scale else exact


def _workplace(tensor: Tensor) -> torch.device:
    # Apple's GPUs have no float64.
    return torch.device("cpu") if tensor.device.type == "mps" else tensor.device


def _decomposed(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Sums of squares along the principal directions, descending, and these, (filters, directions)."""
    if alone() and len(rows) < rows.shape[1]:
        # The vectors' products with each other have the same energies, and are fewer.
        energies, vectors = _eigh(rows @ rows.T)
        roots = energies.clamp(min=torch.finfo(rows.dtype).tiny).sqrt()
        return energies, torch.linalg.qr(rows.T @ (vectors / roots))[0]
    return _eigh(summed(rows.T @ rows))


def _eigh(gram: Tensor) -> tuple[Tensor, Tensor]:
    try:
        energies, vectors = torch.linalg.eigh(gram)
    except _LinAlgError:
        # Another algorithm; of a symmetric matrix without negative eigenvalues both give the same.
        vectors, energies, _ = torch.linalg.svd(gram.cpu())
        return energies, vectors
    return energies.flip(0), vectors.flip(1)


def _rank(energies: Tensor, config: Directions, filters: int) -> int:
    """Directions to keep, given the sum of squares along each in descending order."""
    least = least_rank(config, filters)
    if config.error is None:
        return least
    left = energies.clamp(min=0).flip(0).cumsum(0).flip(0)
    wanted = int((left > config.error**2 * left[0]).sum())
    return least if wanted <= least else config.multiple * ceil(wanted / config.multiple)
