"""Which row does each position, or each member of a class, have?"""

from torch import Tensor

from mercuric.reuse.equal.kernels import reference
from mercuric.reuse.equal.kernels.cpu import moves
from mercuric.reuse.equal.kernels.cpu.operands import are_gathered, flat
from mercuric.reuse.equal.kernels.differentiable import LinearInRows
from mercuric.reuse.precision import HALF


def expand(rows: Tensor, ids: Tensor) -> Tensor:
    """Each position's row.

    Args:
        rows: (R, C).
        ids: int32, (...): the class of each position, at least 0.

    Returns:
        (..., C); a row's gradient is the sum over the positions of its class.
    """
    if not are_gathered(rows) and rows.dtype not in HALF:
        return reference.expand(rows, ids)
    return gather(rows, ids.reshape(-1, 1)).view(*ids.shape, rows.shape[1])


def gather(rows: Tensor, members: Tensor) -> Tensor:
    """The rows of each class's members, side by side.

    Args:
        rows: (R, C).
        members: int32, (U, T): rows, or :data:`~mercuric.reuse.equal.kernels.OUTSIDE` for zeros.

    Returns:
        (U, T x C), the first member's channels first.
    """
    if are_gathered(rows):
        return _GATHER(rows, members)
    return _GATHER_HALF(rows, members) if rows.dtype in HALF else reference.gather(rows, members)


def _add_back(gradient: Tensor, members: Tensor, rows: Tensor) -> None:
    moves.add_back(flat(gradient), members.contiguous().numpy(), flat(rows), rows.shape[1])


def _add_half_back(gradient: Tensor, members: Tensor, rows: Tensor) -> None:
    framed = rows.new_zeros(len(rows) + 1, rows.shape[1])
    inside = members.where(members >= 0, len(rows)).flatten()
    rows.copy_(framed.index_add_(0, inside, gradient.reshape(-1, rows.shape[1]).to(rows.dtype))[:-1])


_GATHER = LinearInRows(reference.gather, moves.gather, _add_back)
_GATHER_HALF = LinearInRows(reference.gather, reference.gather, _add_half_back)
"""Not compiled: of half precision, whose gradients PyTorch would add up in as few bits."""
