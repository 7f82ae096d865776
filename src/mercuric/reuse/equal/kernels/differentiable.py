"""How is an operation on rows differentiated once more, while its gradient is computed by a kernel?

Where the gradient is itself to be differentiated, it is autograd's, of the operation's definition.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mercuric.reuse.transforms import WithoutRules

Definition = Callable[..., Tensor]


def differentiable_gradients(
    definition: Definition, operands: Sequence[Tensor], needed: Sequence[bool], gradient: Tensor
) -> list[Tensor | None]:
    """Gradients with a graph.

    Args:
        definition: of the operation, of ``operands``.
        operands: what it is of.
        needed: of which of them the gradient is.
        gradient: of its result.

    Returns:
        A gradient an operand, None where it is not needed.
    """
    with torch.enable_grad():
        # Another operand may have been made of this one: an alias of each keeps their gradients apart.
        own = [
            operand.view_as(operand) if operand.requires_grad else operand.detach().requires_grad_(asked)
            for operand, asked in zip(operands, needed, strict=True)
        ]
        result = definition(*own)
        wanted = [operand for operand, asked in zip(own, needed, strict=True) if asked]
        found = iter(torch.autograd.grad(result, wanted, gradient, create_graph=True) if wanted else ())
    return [next(found) if asked else None for asked in needed]


def differentiable_adjoint(definition: Definition, shape: torch.Size, gradient: Tensor) -> Tensor:
    """The gradient, with a graph, of rows of ``shape`` that ``definition`` is linear in."""
    with torch.enable_grad():
        rows = gradient.new_zeros(shape).requires_grad_()
        (found,) = torch.autograd.grad(definition(rows), rows, gradient, create_graph=True)
    return found


@dataclass(frozen=True)
class LinearInRows:
    """An operation that is linear in rows and goes by indices, with kernels for both passes.

    Attributes:
        definition: of (rows, indices), differentiable to any order.
        compute: the same, by a kernel.
        add_back: of (gradient, indices, rows): adds the adjoint up in ``rows``, float32 where the gradient is
            of half precision.
    """

    definition: Callable[[Tensor, Tensor], Tensor]
    compute: Callable[[Tensor, Tensor], Tensor]
    add_back: Callable[[Tensor, Tensor, Tensor], None]

    def __call__(self, rows: Tensor, indices: Tensor) -> Tensor:
        """The result, with its graph."""
        result: Tensor = _Linear.apply(self, rows, indices)  # type: ignore[no-untyped-call]
        return result


class _Linear(WithoutRules):
    @staticmethod
    def forward(operation: LinearInRows, rows: Tensor, indices: Tensor) -> Tensor:
        return operation.compute(rows, indices)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        ctx.operation, rows, indices = inputs
        ctx.save_for_backward(indices)
        ctx.shape = rows.shape

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, None]:
        (indices,) = ctx.saved_tensors
        if torch.is_grad_enabled():
            adjoint = differentiable_adjoint(
                lambda rows: ctx.operation.definition(rows, indices), ctx.shape, gradient
            )
            return None, adjoint, None
        rows = gradient.new_zeros(ctx.shape, dtype=torch.promote_types(gradient.dtype, torch.float32))
        ctx.operation.add_back(gradient, indices, rows)
        return None, rows.to(gradient.dtype), None
