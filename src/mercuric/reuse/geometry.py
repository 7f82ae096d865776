"""Where does a convolution's kernel lie on its images?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.similarity.window_grid import WindowGrid

Pair = tuple[int, int]


@dataclass(frozen=True)
class ConvGeometry:
    """A convolution of images, whatever layer it is of.

    Attributes:
        layer: how errors name it, as ``Conv2d(3, 8, kernel_size=(3, 3))``.
        in_channels, out_channels: of all groups.
        kernel_size, stride, dilation: rows and columns.
        pads: left, right, above and below, as ``F.pad`` takes them.
        padding_mode: as ``nn.Conv2d`` has it.
        groups: of channels.
    """

    layer: str
    in_channels: int
    out_channels: int
    kernel_size: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    padding_mode: str = "zeros"
    groups: int = 1

    @property
    def filters(self) -> int:
        """Filters of a group."""
        return self.out_channels // self.groups

    @property
    def taps(self) -> int:
        """Pixels of the kernel."""
        return prod(self.kernel_size)

    @property
    def is_padded(self) -> bool:
        """Whether anything is put around the images."""
        return any(self.pads)

    def grid(self, images: int, sides: Sequence[int]) -> WindowGrid:
        """The windows of so many images of these sides, without padding.

        Args:
            images: how many.
            sides: height and width.
        """
        return WindowGrid.of(images, sides, self.kernel_size, self.stride, self.dilation, self.pads)

    def macs(self, images: Tensor) -> int:
        """Multiply-accumulates of the dense product with images (N, C, H, W)."""
        windows = self.grid(len(images), images.shape[-2:]).windows
        return windows * self.out_channels * (self.in_channels // self.groups) * self.taps

    def dense(self, images: Tensor, filters: Tensor, offsets: Tensor | None) -> Tensor:
        """The product (N, M, H', W'), by definition.

        Args:
            images: (N, C, H, W).
            filters: (M, C / groups, rows, columns).
            offsets: (M,) or None.
        """
        left, right, above, below = self.pads
        padding = (above, left)
        if self.padding_mode != "zeros" or (left, above) != (right, below):
            mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
            images, padding = F.pad(images, list(self.pads), mode=mode), (0, 0)
        return F.conv2d(images, filters, offsets, self.stride, padding, self.dilation, self.groups)

    def padded(self, images: Tensor, layer: str) -> Tensor:
        """Images (N, C, H, W) with the padding, of whatever mode, around them.

        Args:
            images: what the layer reads.
            layer: its name.

        Raises:
            ValueError: they are smaller than the kernel.
        """
        mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
        padded = F.pad(images, list(self.pads), mode=mode).contiguous()
        self.check_size(images, layer)
        return padded

    def check_size(self, images: Tensor, layer: str) -> None:
        """Refuse images that are smaller than the kernel, with their padding."""
        left, right, above, below = self.pads
        spans = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        if images.shape[-2] + above + below < spans[0] or images.shape[-1] + left + right < spans[1]:
            raise ArgumentError(
                f"input of layer {layer!r} was {tuple(images.shape)}, but with its padding must be at least "
                f"{spans[0]} x {spans[1]}, the size of the kernel"
            )


def like(images: Tensor, output: Tensor) -> Tensor:
    """``output``, channels_last where ``images`` are that and not contiguous as well, else contiguous."""
    if images.is_contiguous() or not images.is_contiguous(memory_format=torch.channels_last):
        return output.contiguous()
    return output.contiguous(memory_format=torch.channels_last)
