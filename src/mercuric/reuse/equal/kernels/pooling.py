"""What do pooling layers make of rows?"""

from typing import Any

import torch
from torch import Tensor

from mercuric.reuse.equal.kernels import reference
from mercuric.reuse.equal.kernels.cpu import moves, pooling
from mercuric.reuse.equal.kernels.cpu.operands import are_compiled
from mercuric.reuse.equal.kernels.differentiable import differentiable_adjoint
from mercuric.reuse.transforms import WithoutRules


def class_maximum(rows: Tensor, members: Tensor) -> Tensor:
    """The largest of each class's members, channel by channel.

    Args:
        rows: (R, C).
        members: int32, (U, T); those outside are ignored.

    Returns:
        (U, C); NaN is largest, and of equal members the first gets the gradient, as ``F.max_pool2d`` has it.
    """
    if not are_compiled(rows) or members.shape[1] > pooling.MOST_TAPS:
        return reference.class_maximum(rows, members)
    best: Tensor
    best, _ = _Maximum.apply(rows, members)  # type: ignore[no-untyped-call]
    return best


def class_sum(rows: Tensor, members: Tensor) -> Tensor:
    """The sum of each class's members: rows (R, C) and members int32 (U, T) to (U, C)."""
    if not are_compiled(rows):
        return reference.class_sum(rows, members)
    sums: Tensor = _Sum.apply(rows, members)  # type: ignore[no-untyped-call]
    return sums


def image_sums(rows: Tensor, ids: Tensor) -> Tensor:
    """The sum over each image's positions: rows (R, C) and ids int32 (N, P) to (N, C)."""
    if not are_compiled(rows):
        return reference.image_sums(rows, ids)
    sums: Tensor = _ImageSums.apply(rows, ids)  # type: ignore[no-untyped-call]
    return sums


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


class _Sum(WithoutRules):
    @staticmethod
    def forward(rows: Tensor, members: Tensor) -> Tensor:
        return moves.class_sum(rows, members)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        rows, members = inputs
        ctx.save_for_backward(members)
        ctx.shape = rows.shape

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None]:
        (members,) = ctx.saved_tensors
        if torch.is_grad_enabled():
            adjoint = differentiable_adjoint(
                lambda rows: reference.class_sum(rows, members), ctx.shape, gradient
            )
            return adjoint, None
        rows = gradient.new_zeros(ctx.shape)
        moves.spread_back(gradient, members, rows)
        return rows, None


class _ImageSums(WithoutRules):
    @staticmethod
    def forward(rows: Tensor, ids: Tensor) -> Tensor:
        return pooling.image_sums(rows, ids)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        rows, ids = inputs
        ctx.save_for_backward(ids)
        ctx.shape = rows.shape

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None]:
        (ids,) = ctx.saved_tensors
        if torch.is_grad_enabled():
            return differentiable_adjoint(
                lambda rows: reference.image_sums(rows, ids), ctx.shape, gradient
            ), None
        rows = gradient.new_zeros(ctx.shape)
        pooling.image_sums_back(gradient, ids, rows)
        return rows, None
