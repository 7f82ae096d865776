"""What does batch normalisation make of rows, whose classes have unequal numbers of positions?"""

from typing import Any

import torch
from torch import Tensor

from mercuric.reuse.equal.kernels import reference
from mercuric.reuse.equal.kernels.cpu import normalisation
from mercuric.reuse.equal.kernels.cpu.operands import are_compiled
from mercuric.reuse.equal.kernels.differentiable import differentiable_gradients
from mercuric.reuse.transforms import WithoutRules


def class_normalisation(
    rows: Tensor, counts: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalisation by the statistics of all positions.

    Args:
        rows: (U, C).
        counts: (U,): positions of each class.
        weight, bias: (C,) or None.
        eps: added to the variance.

    Returns:
        The normalised rows, with exact gradients for rows, weight and bias; and mean and biased variance
        (C,), through which no gradient flows.
    """
    if not are_compiled(rows):
        return reference.class_normalisation(rows, counts, weight, bias, eps)
    normalised, mean, variance = _Normalisation.apply(  # type: ignore[no-untyped-call]
        rows, counts, weight, bias, eps
    )
    return normalised, mean.to(rows.dtype), variance.to(rows.dtype)


class _Normalisation(WithoutRules):
    @staticmethod
    def forward(
        rows: Tensor, counts: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        mean, variance = normalisation.statistics(rows, _shares(counts))
        scale = (variance + eps).rsqrt()
        scale = scale if weight is None else scale * weight
        shift = torch.zeros_like(mean) if bias is None else bias.double()
        return normalisation.normalise(rows, mean, scale, shift), mean, variance

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
        rows, counts, weight, bias, ctx.eps = inputs
        _, mean, variance = output
        ctx.save_for_backward(rows, counts, weight, bias, mean, variance)
        ctx.mark_non_differentiable(mean, variance)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor | None) -> tuple[Tensor | None, ...]:
        rows, counts, weight, bias, mean, variance = ctx.saved_tensors
        inverse = (variance + ctx.eps).rsqrt()
        factor = torch.ones_like(mean) if weight is None else weight.double()
        if torch.is_grad_enabled():
            return _differentiable(ctx, gradient, rows, counts, weight, bias)
        d_rows, d_weight, d_bias = normalisation.normalisation_gradients(
            gradient, rows, _shares(counts), mean, inverse, factor
        )
        _, _, to_weight, to_bias, _ = ctx.needs_input_grad
        return (
            d_rows, None, d_weight.to(rows.dtype) if to_weight else None,
            d_bias.to(rows.dtype) if to_bias else None, None,
        )  # fmt: skip


def _differentiable(
    ctx: Any, gradient: Tensor, rows: Tensor, counts: Tensor, weight: Tensor | None, bias: Tensor | None
) -> tuple[Tensor | None, ...]:
    channels = gradient.new_ones(2, rows.shape[1])
    to_rows, _, to_weight, to_bias, _ = ctx.needs_input_grad
    d_rows, d_weight, d_bias = differentiable_gradients(
        lambda rows, weight, bias: reference.class_normalisation(rows, counts, weight, bias, ctx.eps)[0],
        [rows, channels[0] if weight is None else weight, channels[1] * 0 if bias is None else bias],
        [to_rows, to_weight, to_bias], gradient,
    )  # fmt: skip
    return d_rows, None, d_weight, d_bias, None


def _shares(counts: Tensor) -> Tensor:
    return counts.double() / counts.sum()
