"""The product with reuse, by definition, in plain PyTorch (paper III-C1)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mercuric.reuse.alike.kernels.differentiable import Assignment, Gradients, Needed
from mercuric.reuse.windows import Windows


@dataclass(frozen=True)
class ReferenceProduct:
    """:func:`reference_product` as a kernel, for devices that have no other.

    Attributes:
        windows: where the windows lie in the inputs.
    """

    windows: Windows

    def product(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, assignment: Assignment) -> Tensor:
        """See :func:`reference_product`."""
        (source,) = assignment
        return reference_product(inputs, weight, bias, source, self.windows)

    def gradients(
        self, gradient: Tensor, inputs: Tensor, weight: Tensor, needed: Needed, assignment: Assignment
    ) -> Gradients:
        """As autograd finds them."""
        bias = gradient.new_zeros(gradient.shape[1])
        with torch.enable_grad():
            operands = [value.detach().requires_grad_() for value in (inputs, weight, bias)]
            product = self.product(operands[0], operands[1], operands[2], assignment)
        wanted = [operand for operand, asked in zip(operands, needed, strict=True) if asked]
        found = iter(torch.autograd.grad(product, wanted, gradient) if wanted else ())
        d_inputs, d_weight, d_bias = (next(found) if asked else None for asked in needed)
        return d_inputs, d_weight, d_bias


def reference_product(
    padded: Tensor, weight: Tensor, bias: Tensor | None, source: Tensor, windows: Windows
) -> Tensor:
    """Every window's dot products, with each vector replaced by its representative.

    Autograd differentiates it: the adjoint of a gather adds up what was gathered, so the gradient
    is that of the forward pass that was really computed.

    Args:
        padded: the layer's padded input, contiguous, any shape.
        weight: (convolution groups, filters, elements of a window in the group).
        bias: (convolution groups x filters,) or None.
        source: int64, (channel groups, Q): the window whose values each window takes.
        windows: where the windows lie in ``padded``.

    Returns:
        (Q, convolution groups x filters).
    """
    groups, count = source.shape
    vectors = padded.reshape(-1)[windows.addresses()].view(groups, -1, count)
    replaced = vectors.gather(2, source[:, None, :].expand_as(vectors))
    product = weight @ replaced.reshape(weight.shape[0], -1, count)
    rows = product.reshape(-1, count).T
    return rows if bias is None else rows + bias
