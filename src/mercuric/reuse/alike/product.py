"""The product of a layer with reuse, with its gradients."""

import torch
from torch import Tensor

from mercuric.reuse.alike.kernels.cpu import CpuProduct
from mercuric.reuse.alike.kernels.differentiable import Kernel, differentiable_product
from mercuric.reuse.alike.kernels.reference import ReferenceProduct
from mercuric.reuse.windows import Windows


def reuse_product(
    padded: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    source: Tensor,
    windows: Windows,
    to_input: bool = True,
) -> Tensor:
    """Dot products of every window with every filter, those of alike windows computed once.

    Args:
        padded: the layer's padded input.
        weight: (convolution groups, filters, elements of a window in the group).
        bias: (convolution groups x filters,) or None.
        source: int64, (channel groups, Q): the window whose values each window takes.
        windows: where the windows lie in ``padded``.
        to_input: whether ``padded`` gets the gradient; else another product gives it one (III-C2).

    Returns:
        (Q, convolution groups x filters) of ``padded``'s dtype; exact gradients for ``padded``,
        ``weight`` and ``bias``. On a CPU 16-bit numbers are multiplied and summed in float32.
    """
    kernel: Kernel = ReferenceProduct(windows)
    values, matrix, offset = padded, weight, bias
    if padded.device.type == "cpu":
        kernel = CpuProduct(windows)
        exact = torch.float64 if padded.dtype == torch.float64 else torch.float32
        values, matrix, offset = padded.to(exact), weight.to(exact), None if bias is None else bias.to(exact)
    product = differentiable_product(kernel, values, matrix, offset, source, to_inputs=to_input)
    return product.to(padded.dtype)
