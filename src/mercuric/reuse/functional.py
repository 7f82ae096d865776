"""The product of a layer with reuse, with its gradients."""

import torch
from torch import Tensor

from mercuric.reuse.kernels.cpu import CpuProduct
from mercuric.reuse.kernels.reference import reference_product
from mercuric.reuse.windows import Windows


def reuse_product(
    padded: Tensor, weight: Tensor, bias: Tensor | None, source: Tensor, windows: Windows
) -> Tensor:
    """Dot products of every window with every filter, those of alike windows computed once.

    Args:
        padded: the layer's padded input.
        weight: (convolution groups, filters, elements of a window in the group).
        bias: (convolution groups x filters,) or None.
        source: int64, (channel groups, Q): the window whose values each window takes.
        windows: where the windows lie in ``padded``.

    Returns:
        (Q, convolution groups x filters) of ``padded``'s dtype; exact gradients for ``padded``,
        ``weight`` and ``bias``. On a CPU 16-bit numbers are multiplied and summed in float32.
    """
    if padded.device.type != "cpu":
        return reference_product(padded, weight, bias, source, windows)
    exact = torch.float64 if padded.dtype == torch.float64 else torch.float32
    operands = (value if value is None else value.to(exact) for value in (padded.contiguous(), weight, bias))
    product: Tensor = CpuProduct.apply(*operands, source, windows)  # type: ignore[no-untyped-call]
    return product.to(padded.dtype)
