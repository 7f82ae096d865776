"""Which pixels does a window span, and what do they hold?"""

from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.principal.product import Placement


@dataclass(frozen=True)
class WindowPixels:
    """The windows of padded images as rows of pixels, numbered image by image in raster order.

    Attributes:
        pixels: (N x padded height x padded width, C).
        padded: padded height and width.
        output: rows and columns of windows in an image.
        kernel: pixels of a window, down and across.
        placement: stride, padding, dilation.
    """

    pixels: Tensor
    padded: tuple[int, int]
    output: tuple[int, int]
    kernel: tuple[int, int]
    placement: Placement

    @classmethod
    def of(cls, images: Tensor, kernel: tuple[int, int], placement: Placement) -> Self:
        """The windows of images (N, C, H, W), padded with zeros."""
        below, across = placement.padding
        padded = F.pad(images, [across, across, below, below]).permute(0, 2, 3, 1).contiguous()
        height, width = padded.shape[1:3]
        spans = [d * (k - 1) + 1 for d, k in zip(placement.dilation, kernel, strict=True)]
        output = (
            (height - spans[0]) // placement.stride[0] + 1,
            (width - spans[1]) // placement.stride[1] + 1,
        )
        return cls(padded.view(-1, padded.shape[3]), (height, width), output, kernel, placement)

    @property
    def length(self) -> int:
        """Elements of a window."""
        return self.kernel[0] * self.kernel[1] * self.pixels.shape[1]

    def places(self, vectors: Tensor) -> Tensor:
        """Rows of ``pixels`` that windows span: int64, (..., kernel pixels)."""
        rows, columns = self.output
        image, row = vectors // (rows * columns), vectors // columns % rows
        corner = (image * self.padded[0] + row * self.placement.stride[0]) * self.padded[1]
        corner = corner + vectors % columns * self.placement.stride[1]
        down = torch.arange(self.kernel[0], device=vectors.device) * self.placement.dilation[0]
        across = torch.arange(self.kernel[1], device=vectors.device) * self.placement.dilation[1]
        return corner[..., None] + (down[:, None] * self.padded[1] + across).flatten()

    def gather(self, vectors: Tensor) -> Tensor:
        """The windows' elements, (..., kernel pixels x C)."""
        return self.pixels[self.places(vectors)].flatten(-2)

    def add(self, vectors: Tensor, rows: Tensor) -> None:
        """Add rows (..., kernel pixels x C) onto the pixels of windows."""
        self.pixels.index_add_(0, self.places(vectors).flatten(), rows.reshape(-1, self.pixels.shape[1]))

    def unpadded(self) -> Tensor:
        """The images again, (N, C, H, W), without their padding."""
        (height, width), (below, across) = self.padded, self.placement.padding
        images = self.pixels.view(-1, height, width, self.pixels.shape[1])
        inner = images[:, below : height - below, across : width - across]
        return inner.permute(0, 3, 1, 2)
