"""What is a linear layer's result on flattened maps, whose classes repeat at the same positions?"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.equal.kernels import reference
from mercuric.reuse.equal.kernels.cpu.operands import are_compiled
from mercuric.reuse.equal.kernels.cpu.pairs import position_pairs
from mercuric.reuse.equal.kernels.differentiable import differentiable_gradients
from mercuric.reuse.equal.kernels.moves import expand, gather
from mercuric.reuse.equal.kernels.pooling import class_sum
from mercuric.reuse.transforms import WithoutRules

MOST_PAIRS = 0.25
"""Share of positions: with more, laying weights out and adding products up costs what is spared."""


def class_product_flat(rows: Tensor, ids: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A linear layer on flattened maps, whose features are channels x positions.

    Each distinct pair of a position and a class is multiplied once, where pairs are few.

    Args:
        rows: (R, C).
        ids: int32, (N, P): the row at each position.
        weight: (M, C x P).
        bias: (M,) or None.

    Returns:
        (N, M), with exact gradients for rows, weight and bias.
    """
    if not are_compiled(rows):
        return reference.class_product_flat(rows, ids, weight, bias)
    numbers, kinds, sizes = position_pairs(ids, len(rows))
    if len(kinds) > MOST_PAIRS * ids.numel() or not len(kinds):
        return F.linear(expand(rows, ids).mT.flatten(1), weight, bias)
    # Position by position, and each laid out in one piece: products with what lies apart are far slower.
    matrices = weight.reshape(-1, len(sizes)).T.contiguous().view(len(sizes), len(weight), -1)
    pairs = gather(rows, kinds[:, None])
    products: Tensor = _PairProducts.apply(pairs, matrices, sizes)  # type: ignore[no-untyped-call]
    product = class_sum(products, numbers)
    return product if bias is None else product + bias


class _PairProducts(WithoutRules):
    """Rows (pairs, C), so many of each position, times the positions' matrices (P, M, C): (pairs, M)."""

    @staticmethod
    def forward(pairs: Tensor, matrices: Tensor, sizes: list[int]) -> Tensor:
        products = pairs.new_empty(len(pairs), matrices.shape[1])
        for own, matrix, out in zip(
            torch.split(pairs, sizes), matrices, torch.split(products, sizes), strict=True
        ):
            torch.mm(own, matrix.T, out=out)
        return products

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        pairs, matrices, ctx.sizes = inputs
        ctx.save_for_backward(pairs, matrices)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        pairs, matrices = ctx.saved_tensors
        needed = ctx.needs_input_grad[:2]
        if torch.is_grad_enabled():
            found = differentiable_gradients(
                lambda pairs, matrices: _defined(pairs, matrices, ctx.sizes),
                [pairs, matrices],
                needed,
                gradient,
            )
            return *found, None
        d_pairs, d_matrices = (
            torch.empty_like(operand) if asked else None
            for operand, asked in zip((pairs, matrices), needed, strict=True)
        )
        into = () if d_pairs is None else torch.split(d_pairs, ctx.sizes)
        parts = [torch.split(gradient, ctx.sizes), torch.split(pairs, ctx.sizes)]
        for place, (own, values) in enumerate(zip(*parts, strict=True)):
            if d_matrices is not None:
                torch.mm(own.T, values, out=d_matrices[place])
            if d_pairs is not None:
                torch.mm(own, matrices[place], out=into[place])
        return d_pairs, d_matrices, None


def _defined(pairs: Tensor, matrices: Tensor, sizes: list[int]) -> Tensor:
    return torch.cat(
        [
            F.linear(own, matrix)
            for own, matrix in zip(torch.split(pairs, sizes), matrices.unbind(), strict=True)
        ]
    )
