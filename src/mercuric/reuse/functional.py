"""Convolution and linear map with reuse, as functions with gradients."""

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
        padded: the layer's padded input, contiguous.
        weight: (convolution groups, filters, elements of a window in the group).
        bias: (convolution groups x filters,) or None.
        source: int64, (channel groups, Q): the window whose values each window takes.
        windows: where the windows lie in ``padded``.

    Returns:
        (Q, convolution groups x filters); exact gradients for ``padded``, ``weight`` and ``bias``.
    """
    compiled = padded.device.type == "cpu" and padded.dtype in (torch.float32, torch.float64)
    if compiled and padded.dtype == weight.dtype:
        product: Tensor = CpuProduct.apply(padded, weight, bias, source, windows)  # type: ignore[no-untyped-call]
        return product
    return reference_product(padded, weight, bias, source, windows)
