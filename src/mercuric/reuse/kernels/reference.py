"""The product with reuse, by definition, in plain PyTorch (paper III-C1)."""

from torch import Tensor

from mercuric.reuse.windows import Windows


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
