"""Does a layer's weight lie in its directions, and how is it put there?"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

SAMPLE = 4096
"""Elements of a weight, evenly spread, that show whether it has changed."""
_PROBES = 4
"""Random combinations of inputs that show what of a weight lies outside."""


@dataclass(frozen=True)
class Mark:
    """A weight as it was when it was last looked at; changes through ``weight.data`` count no version.

    Attributes:
        place: address, version, shape, strides and type.
        sample: some of its elements.
        basis: what it was compared with.
        inside: whether it lay in the basis.
    """

    place: tuple[object, ...]
    sample: Tensor
    basis: Tensor
    inside: bool

    @classmethod
    def of(cls, weight: Tensor, basis: Tensor, inside: bool) -> "Mark":
        """The weight as it is."""
        with torch.inference_mode(False), torch.no_grad():
            return cls(_place(weight), sample_of(weight).clone(), basis, inside)

    def fits(self, weight: Tensor, basis: Tensor, closely: bool = True) -> bool:
        """Whether nothing has changed; ``closely``: not even what counts no version."""
        if basis is not self.basis or _place(weight) != self.place:
            return False
        return not closely or torch.equal(sample_of(weight), self.sample)


def sample_of(weight: Tensor) -> Tensor:
    """Evenly spread elements of a weight, whatever its memory format."""
    return _rows(weight.detach()).reshape(-1)[:: weight.numel() // SAMPLE | 1]


def outside(weight: Tensor, basis: Tensor) -> float:
    """What of a weight (filters, ...) the basis (filters, rank) leaves out, as a share of the weight.

    Estimated from a few random combinations of its columns, which takes far less than the projection;
    NaN where the weight isn't finite.
    """
    with _exactly(weight) as dtype:
        rows, directions = _rows(weight.detach()).to(dtype), basis.to(weight.device, dtype)
        # As rows: this way round the product takes a fifth of the time.
        probed = F.linear(_probes(rows.shape[1], dtype, weight.device), rows)
        rest = probed - probed @ directions @ directions.T
        whole = float(torch.linalg.vector_norm(probed.cpu().double()))
        return float(torch.linalg.vector_norm(rest.cpu().double())) / whole if whole else 0.0


def rounding(weight: Tensor, basis: Tensor) -> float:
    """The share of a weight that rounding alone may leave outside of a basis it lies in."""
    precision = torch.finfo(weight.dtype).eps
    if precision > 1e-4:
        return precision / 2
    return 32 * max(precision, torch.finfo(basis.dtype).eps)


def fold_(weight: Tensor, basis: Tensor) -> None:
    """Take out of a weight (filters, ...), in place, what the basis (filters, rank) leaves out."""
    with _exactly(weight):
        weight.copy_(projected(weight, basis))


def projected(weight: Tensor, basis: Tensor) -> Tensor:
    """A weight (filters, ...) without what the basis leaves out."""
    with _exactly(weight) as dtype:
        rows, directions = _rows(weight.detach()).to(dtype), basis.to(weight.device, dtype)
        kept = directions @ (directions.T @ rows)
        if not _last(weight):
            return kept.view(weight.shape)
        filters, channels, height, width = weight.shape
        return kept.view(filters, height, width, channels).permute(0, 3, 1, 2)


@contextmanager
def _exactly(weight: Tensor) -> Iterator[torch.dtype]:
    """No gradients, no autocast, no TF32, tensors that can be kept; gives the type to compute in."""
    cuda = torch.backends.cuda.matmul
    before = cuda.allow_tf32
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.autocast(weight.device.type, enabled=False),
    ):
        if before:
            cuda.allow_tf32 = False
        try:
            yield torch.promote_types(weight.dtype, torch.float32)
        finally:
            if before:
                cuda.allow_tf32 = True


@lru_cache(maxsize=64)
def _probes(length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    drawn = torch.randn(_PROBES, length, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return drawn.to(device, dtype)


def _rows(weight: Tensor) -> Tensor:
    """Filters as rows, in an order that needs no copy."""
    return (weight.permute(0, 2, 3, 1) if _last(weight) else weight).flatten(1)


def _last(weight: Tensor) -> bool:
    if weight.dim() != 4 or weight.is_contiguous():
        return False
    return weight.is_contiguous(memory_format=torch.channels_last)


def _place(weight: Tensor) -> tuple[object, ...]:
    version = -1 if weight.is_inference() else weight._version
    return weight.data_ptr(), version, weight.shape, weight.stride(), weight.dtype, weight.device
