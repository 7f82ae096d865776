"""How are training images varied?"""

import torch
from torch import Tensor
from torch.nn import functional as F

PAD = 4


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image padded by four zeros a side, cropped at random to its size, flipped half the time.

    Args:
        images: (B, C, H, W), any dtype.
        generator: the only source of chance, on the CPU: equal states give equal images.

    Returns:
        A new tensor of the same shape and dtype.
    """
    count, channels, height, width = images.shape
    top, left = torch.randint(0, 2 * PAD + 1, (2, count, 1), generator=generator)
    flipped = torch.rand(count, 1, generator=generator) < 0.5
    across = torch.arange(width)
    rows = top + torch.arange(height)
    columns = left + torch.where(flipped, across.flip(0), across)
    padded = F.pad(images, (PAD, PAD, PAD, PAD))
    return padded[
        torch.arange(count)[:, None, None, None],
        torch.arange(channels)[None, :, None, None],
        rows[:, None, :, None],
        columns[:, None, None, :],
    ]
