"""How is an operation on rows differentiated once more, while its gradient is computed by a kernel?

Where the gradient is itself to be differentiated, it is autograd's, of the operation's definition.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

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
