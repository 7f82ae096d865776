"""Which row does each position, or each member of a class, have?"""

from typing import Any

import torch
from torch import Tensor

from mercuric.reuse.equal.kernels import reference
from mercuric.reuse.equal.kernels.cpu import moves
from mercuric.reuse.equal.kernels.cpu.operands import are_compiled, flat
from mercuric.reuse.equal.kernels.differentiable import differentiable_adjoint
from mercuric.reuse.transforms import WithoutRules


def expand(rows: Tensor, ids: Tensor) -> Tensor:
    """Each position's row.

    Args:
        rows: (R, C).
        ids: int32, (...): the class of each position, at least 0.

    Returns:
        (..., C); a row's gradient is the sum over the positions of its class.
    """
    if not are_compiled(rows):
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
    if not are_compiled(rows):
        return reference.gather(rows, members)
    found: Tensor = _Gather.apply(rows, members)  # type: ignore[no-untyped-call]
    return found


class _Gather(WithoutRules):
    @staticmethod
    def forward(rows: Tensor, members: Tensor) -> Tensor:
        return moves.gather(rows, members)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        rows, members = inputs
        ctx.save_for_backward(members)
        ctx.shape = rows.shape

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None]:
        (members,) = ctx.saved_tensors
        if torch.is_grad_enabled():
            return differentiable_adjoint(
                lambda rows: reference.gather(rows, members), ctx.shape, gradient
            ), None
        rows = gradient.new_zeros(ctx.shape)
        moves.add_back(flat(gradient), members.contiguous().numpy(), flat(rows), rows.shape[1])
        return rows, None
