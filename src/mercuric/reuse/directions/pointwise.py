"""How is every pixel multiplied with a matrix, as fast as this processor convolves?

On one CPU thread PyTorch takes another library than oneDNN for 1x1 convolutions of under 16 images, which is
up to 2.4 times as slow here.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def pointwise(images: Tensor, matrix: Tensor, bias: Tensor | None = None) -> Tensor:
    """images (N, C, H, W) times matrix (M, C), the bias (M,) added: (N, M, H, W), laid out as the images."""
    filters = matrix[:, :, None, None]
    if not _by_onednn(images):
        return F.conv2d(images, filters, bias)
    found: Tensor = torch.mkldnn_convolution(images, filters, bias, [0, 0], [1, 1], [1, 1], 1)
    return found


def _by_onednn(images: Tensor) -> bool:
    return (
        images.device.type == "cpu"
        and images.dtype == torch.float32
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and bool(torch.backends.mkldnn.enabled)
        and images.numel() > 0
    )
