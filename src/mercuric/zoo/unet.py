"""What is the U-Net (Ronneberger et al., MICCAI 2015) here?"""

from itertools import pairwise

import torch
from torch import Tensor, nn

CHANNELS = (64, 128, 256, 512, 1024)


class UNet(nn.Module):
    """Four levels down, four up, and the maps of each level handed across.

    As today's U-Nets differ from the paper: convolutions pad, so that the result is as large as the image,
    and batch normalisation follows each; upsampling repeats pixels before a 3x3 convolution halves the
    channels, which leaves no checkerboard (Odena et al., Distill 2016), in place of a transposed 2x2 one.

    Args:
        outputs: channels of the result: classes of pixels, or colours.
        channels: of the images.
    """

    def __init__(self, outputs: int, channels: int) -> None:
        super().__init__()
        levels = list(pairwise(CHANNELS))
        self.first = _two_convolutions(channels, CHANNELS[0])
        self.pool = nn.MaxPool2d(2)
        self.down = nn.ModuleList(_two_convolutions(above, below) for above, below in levels)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        self.halve = nn.ModuleList(_convolution(below, above) for above, below in reversed(levels))
        self.up = nn.ModuleList(_two_convolutions(below, above) for above, below in reversed(levels))
        self.last = nn.Conv2d(CHANNELS[0], outputs, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, H, W), sides multiples of 16, to (B, outputs, H, W)."""
        maps = self.first(images)
        across = []
        for down in self.down:
            across.append(maps)
            maps = down(self.pool(maps))
        for halve, up in zip(self.halve, self.up, strict=True):
            maps = up(torch.cat([across.pop(), halve(self.upsample(maps))], 1))
        result: Tensor = self.last(maps)
        return result


def build_unet(channels: int) -> nn.Module:
    """A U-Net from images to images."""
    return UNet(channels, channels)


def _two_convolutions(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*_convolution(inputs, outputs), *_convolution(outputs, outputs))


def _convolution(inputs: int, outputs: int) -> nn.Sequential:
    """Normalisation has an offset of its own, so that the convolution needs none."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
