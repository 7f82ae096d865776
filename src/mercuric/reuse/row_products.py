"""How are many rows multiplied with a matrix, as fast as this processor convolves?

PyTorch reaches oneDNN in float32 through a convolution; on processors where ``torch.mm`` goes through
another library that is more than twice as fast. On one thread PyTorch convolves 1x1 by that other
library unless there are 16 images, so the rows are dealt to 16.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.grad import conv2d_weight

IMAGES = 16


def whole_images(rows: int) -> int:
    """``rows`` rounded up to a multiple of 16."""
    return (rows + IMAGES - 1) // IMAGES * IMAGES


def multiply(rows: Tensor, matrix: Tensor, bias: Tensor | None = None) -> Tensor:
    """rows (R, K) times matrix (M, K) transposed, and the bias added: (R, M).

    Rows are float32, float64 or bfloat16, contiguous; 16-bit products are summed in float32. Fastest where
    R is a multiple of 16.
    """
    if rows.dtype == torch.bfloat16 and rows.shape[1] % 2:
        # oneDNN takes elements by twos: the last one's neighbour, times 0, is NaN where it isn't finite.
        rows, matrix = F.pad(rows, (0, 1)), F.pad(matrix, (0, 1))
    with torch.autocast("cpu", enabled=False):
        whole = len(rows) // IMAGES * IMAGES
        if rows.dtype == torch.float64 or not whole:
            return F.linear(rows, matrix, bias)
        if whole < len(rows):
            return torch.cat([multiply(rows[:whole], matrix, bias), F.linear(rows[whole:], matrix, bias)])
        product = F.conv2d(_as_images(rows), matrix[:, :, None, None], bias)
        return product.permute(0, 2, 3, 1).reshape(len(rows), -1)


def add_up_outer(gradient: Tensor, rows: Tensor) -> Tensor:
    """gradient (R, M) transposed times rows (R, K), both contiguous: (M, K); as :func:`multiply`."""
    with torch.autocast("cpu", enabled=False):
        whole = len(rows) // IMAGES * IMAGES
        if rows.dtype == torch.float64 or not whole:
            return gradient.T @ rows
        if whole < len(rows):
            return add_up_outer(gradient[:whole], rows[:whole]) + gradient[whole:].T @ rows[whole:]
        shape = (gradient.shape[1], rows.shape[1], 1, 1)
        found: Tensor = conv2d_weight(  # type: ignore[no-untyped-call]
            _as_images(rows), shape, _as_images(gradient)
        )
        return found.view(shape[:2])


def as_image(rows: Tensor) -> Tensor:
    """Rows (R, K) as the pixels of one image of one line, (1, K, 1, R)."""
    return rows[None, None].permute(0, 3, 1, 2)


def _as_images(rows: Tensor) -> Tensor:
    return rows.view(IMAGES, 1, -1, rows.shape[1]).permute(0, 3, 1, 2)
