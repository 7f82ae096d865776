"""How do stored pixels become a network's inputs?"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Normalisation:
    """Per-channel mean and standard deviation of pixels scaled to 0 to 1, one number a channel."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def apply(self, images: Tensor) -> Tensor:
        """(B, C, H, W) uint8 to float32 of mean 0 and deviation 1 over the images it was made for."""
        mean = torch.tensor(self.mean).view(-1, 1, 1)
        deviation = torch.tensor(self.deviation).view(-1, 1, 1)
        return (images.float() / 255 - mean) / deviation


IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def measured(images: Tensor) -> Normalisation:
    """The statistics of (N, C, H, W) uint8 ``images``, exact: from the counts of the 256 values."""
    values = torch.arange(256, dtype=torch.float64) / 255
    means, deviations = [], []
    for channel in images.unbind(1):
        share = torch.bincount(channel.flatten(), minlength=256) / channel.numel()
        mean = (share * values).sum()
        means.append(mean.item())
        deviations.append(((share * (values - mean) ** 2).sum()).sqrt().item())
    return Normalisation(tuple(means), tuple(deviations))
