"""What do pooling layers make of rows?"""

from typing import Any

import torch
from torch import Tensor

from mercuric.reuse.equal.kernels import reference
from mercuric.reuse.equal.kernels.cpu import moves, pooling
from mercuric.reuse.equal.kernels.cpu.operands import are_compiled
from mercuric.reuse.equal.kernels.differentiable import LinearInRows, differentiable_adjoint
from mercuric.reuse.precision import HALF
from mercuric.reuse.transforms import WithoutRules


def class_maximum(rows: Tensor, members: Tensor) -> Tensor:
    """The largest of each class's members, channel by channel.

    Args:
        rows: (R, C).
        members: int32, (U, T); those outside are ignored.

    Returns:
        (U, C); NaN is largest, and of equal members the first gets the gradient, as ``F.max_pool2d`` has it.
    """
    if rows.dtype in HALF:
        return class_maximum(rows.float(), members).to(rows.dtype)
    if not are_compiled(rows) or members.shape[1] > pooling.MOST_TAPS:
        return reference.class_maximum(rows, members)
    best: Tensor
    best, _ = _Maximum.apply(rows, members)  # type: ignore[no-untyped-call]
    return best


def class_sum(rows: Tensor, members: Tensor) -> Tensor:
    """The sum of each class's members: rows (R, C) and members int32 (U, T) to (U, C)."""
    if not are_compiled(rows):
        return reference.class_sum(rows, members)
    return _SUM(rows, members)


def image_sums(rows: Tensor, ids: Tensor) -> Tensor:
    """The sum over each image's positions: rows (R, C) and ids int32 (N, P) to (N, C)."""
    if not are_compiled(rows):
        return reference.image_sums(rows, ids)
    return _IMAGE_SUMS(rows, ids)


class _Maximum(WithoutRules):
    @staticmethod
    def forward(rows: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
        return pooling.class_maximum(rows, members)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        rows, members = inputs
        ctx.save_for_backward(members, output[1])
        ctx.mark_non_differentiable(output[1])
        ctx.shape = rows.shape

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Tensor | None) -> tuple[Tensor | None, None]:
        members, chosen = ctx.saved_tensors
        if torch.is_grad_enabled():

            def taken(rows: Tensor) -> Tensor:
                taps = reference.gather(rows, members).view(*members.shape, -1)
                return taps.gather(1, chosen.long()[:, None]).squeeze(1)

            return differentiable_adjoint(taken, ctx.shape, gradient), None
        rows = gradient.new_zeros(ctx.shape)
        pooling.maximum_back(gradient, chosen, members, rows)
        return rows, None


_SUM = LinearInRows(reference.class_sum, moves.class_sum, moves.spread_back)
_IMAGE_SUMS = LinearInRows(reference.image_sums, pooling.image_sums, pooling.image_sums_back)
