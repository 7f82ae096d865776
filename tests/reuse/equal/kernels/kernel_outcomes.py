"""What an operation on rows gives, beside what its definition gives in float64."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

Operation = Callable[..., Tensor]


def normal(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(len(shape)), dtype=dtype)


def both_outcomes(
    found: Operation, expected: Operation, *operands: Tensor, dtype: torch.dtype
) -> Iterator[tuple[Tensor, Tensor]]:
    """Results, then gradients of each operand: those found, and in float64 the expected ones of the same
    rounded operands."""
    both = []
    for function, exact in ((found, dtype), (expected, torch.float64)):
        own = [operand.to(dtype).to(exact).requires_grad_() for operand in operands]
        result = function(*own)
        gradient = normal(*result.shape).to(dtype).to(exact)
        both.append((result, *torch.autograd.grad(result, own, gradient)))
    yield from zip(*both, strict=True)
