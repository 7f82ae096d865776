"""Which pixels does a window span, and what do they hold?"""

from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.directions.product import Placement
from mercuric.similarity.window_grid import WindowGrid


@dataclass(frozen=True)
class WindowPixels:
    """The windows of padded images as rows of pixels, numbered image by image in raster order.

    Attributes:
        pixels: (N x padded height x padded width, C).
        grid: the windows of the padded images.
        padding: pixels above and below, and on both sides, that are not the images' own.
    """

    pixels: Tensor
    grid: WindowGrid
    padding: tuple[int, ...]

    @classmethod
    def of(cls, images: Tensor, kernel: tuple[int, ...], placement: Placement) -> Self:
        """The windows of images (N, C, H, W), padded with zeros."""
        below, across = placement.padding
        padded = F.pad(images, [across, across, below, below]).permute(0, 2, 3, 1).contiguous()
        grid = WindowGrid.of(len(images), padded.shape[1:3], kernel, placement.stride, placement.dilation)
        return cls(padded.view(-1, padded.shape[3]), grid, placement.padding)

    @property
    def length(self) -> int:
        """Elements of a window."""
        return self.grid.taps * self.pixels.shape[1]

    def places(self, vectors: Tensor) -> Tensor:
        """Rows of ``pixels`` that windows span: int64, (..., kernel pixels)."""
        grid, (_, rows, columns) = self.grid, self.grid.output
        image, row = vectors // (rows * columns), vectors // columns % rows
        corner = (image * grid.height + row * grid.stride[0]) * grid.width
        corner = corner + vectors % columns * grid.stride[1]
        down = torch.arange(grid.kernel[0], device=vectors.device) * grid.dilation[0]
        across = torch.arange(grid.kernel[1], device=vectors.device) * grid.dilation[1]
        return corner[..., None] + (down[:, None] * grid.width + across).flatten()

    def gather(self, vectors: Tensor) -> Tensor:
        """The windows' elements, (..., kernel pixels x C)."""
        return self.pixels[self.places(vectors)].flatten(-2)

    def add(self, vectors: Tensor, rows: Tensor) -> None:
        """Add rows (..., kernel pixels x C) onto the pixels of windows."""
        self.pixels.index_add_(0, self.places(vectors).flatten(), rows.reshape(-1, self.pixels.shape[1]))

    def unpadded(self) -> Tensor:
        """The images again, (N, C, H, W), without their padding."""
        (height, width), (below, across) = (self.grid.height, self.grid.width), self.padding
        images = self.pixels.view(-1, height, width, self.pixels.shape[1])
        inner = images[:, below : height - below, across : width - across]
        return inner.permute(0, 3, 1, 2)
