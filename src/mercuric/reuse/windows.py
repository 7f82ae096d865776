"""Where do the windows of a layer's input lie?"""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from mercuric.reuse.geometry import ConvGeometry
from mercuric.similarity.window_grid import WindowGrid


@dataclass(frozen=True)
class Windows:
    """The windows of a padded input as addresses: an im2col that is never written down.

    Element (c, t) of window q is ``input.view(-1)[starts[q] + c * channel_stride + taps[t]]``.

    Attributes:
        starts: int64, (Q,): the first element of each window, images first, then raster order.
        taps: int64, (T,): offsets of a window's elements in its channel.
        channel_stride: elements from one channel to the next.
        channels: channels of the input.
        output: images and spatial size of the output.
    """

    starts: Tensor
    taps: Tensor
    channel_stride: int
    channels: int
    output: tuple[int, ...]

    @property
    def length(self) -> int:
        """Elements of a window over all channels."""
        return self.channels * len(self.taps)

    def addresses(self) -> Tensor:
        """int64, (channels, T, Q): where each element of each window lies."""
        channels = torch.arange(self.channels, device=self.starts.device) * self.channel_stride
        return channels[:, None, None] + self.taps[None, :, None] + self.starts[None, None, :]


def conv_windows(padded: Tensor, conv: ConvGeometry) -> Windows:
    """Windows of ``conv`` over its padded input (N, C, H, W), contiguous."""
    return image_windows(padded, conv.kernel_size, conv.dilation, conv.stride)


def image_windows(
    padded: Tensor, kernel_size: tuple[int, ...], dilation: tuple[int, ...], stride: tuple[int, ...]
) -> Windows:
    """Windows of a kernel over padded images (N, C, H, W), contiguous."""
    images, channels, height, width = padded.shape
    output = WindowGrid.of(images, (height, width), kernel_size, stride, dilation).output
    device = padded.device
    image = torch.arange(images, device=device) * (channels * height * width)
    row = torch.arange(output[1], device=device) * (stride[0] * width)
    column = torch.arange(output[2], device=device) * stride[1]
    tap_row = torch.arange(kernel_size[0], device=device) * (dilation[0] * width)
    tap_column = torch.arange(kernel_size[1], device=device) * dilation[1]
    return Windows(
        starts=(image[:, None, None] + row[:, None] + column).reshape(-1),
        taps=(tap_row[:, None] + tap_column).reshape(-1),
        channel_stride=height * width,
        channels=channels,
        output=output,
    )


def row_windows(rows: Tensor) -> Windows:
    """The rows of a matrix (..., features), contiguous, as windows of one element a channel."""
    features = rows.shape[-1]
    count = prod(rows.shape[:-1])
    return Windows(
        starts=torch.arange(count, device=rows.device) * features,
        taps=torch.zeros(1, dtype=torch.int64, device=rows.device),
        channel_stride=1,
        channels=features,
        output=tuple(rows.shape[:-1]),
    )
