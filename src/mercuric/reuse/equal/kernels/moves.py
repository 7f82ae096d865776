"""Which row does each position, or each member of a class, have?"""

from torch import Tensor

from mercuric.reuse.equal.kernels import reference
from mercuric.reuse.equal.kernels.cpu import moves
from mercuric.reuse.equal.kernels.cpu.operands import are_gathered, flat
from mercuric.reuse.equal.kernels.differentiable import LinearInRows


def expand(rows: Tensor, ids: Tensor) -> Tensor:
    """Each position's row.

    Args:
        rows: (R, C).
        ids: int32, (...): the class of each position, at least 0.

    Returns:
        (..., C); a row's gradient is the sum over the positions of its class.
    """
    if not are_gathered(rows):
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
    if not are_gathered(rows):
        return reference.gather(rows, members)
    return _GATHER(rows, members)


def _add_back(gradient: Tensor, members: Tensor, rows: Tensor) -> None:
    moves.add_back(flat(gradient), members.contiguous().numpy(), flat(rows), rows.shape[1])


_GATHER = LinearInRows(reference.gather, moves.gather, _add_back)
