"""Which small networks have signals and transposed convolutions?"""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def generator() -> nn.Module:
    """As DCGAN's: a random vector becomes an image."""
    return nn.Sequential(
        nn.ConvTranspose2d(16, 24, 4, bias=False), nn.BatchNorm2d(24), nn.ReLU(inplace=True),
        nn.ConvTranspose2d(24, 12, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU(True),
        nn.ConvTranspose2d(12, 3, 3, stride=2, padding=1, output_padding=1), nn.Tanh(),
    )  # fmt: skip


def audio() -> nn.Module:
    """Sound to classes."""
    return nn.Sequential(
        nn.Conv1d(1, 16, 9, stride=4), nn.BatchNorm1d(16), nn.ReLU(),
        nn.Conv1d(16, 24, 3, padding="same"), nn.ReLU(),
        nn.Conv1d(24, 24, 3, groups=4, padding=1, padding_mode="circular"), nn.ReLU(), nn.Conv1d(24, 16, 1),
        nn.AdaptiveAvgPool1d(4), nn.Flatten(), nn.Linear(64, 4),
    )  # fmt: skip


class UNet(nn.Module):
    """Down and up again, beside what was there."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.down = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.up, self.last = nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1), nn.Conv2d(16, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        beside = self.first(images).relu()
        below = self.down(beside).relu()
        above = self.up(below, output_size=beside.shape[-2:])
        output: Tensor = self.last(torch.cat([beside, above], 1))
        return output


Subject = tuple[Callable[[], nn.Module], tuple[int, ...]]
SUBJECTS: dict[str, Subject] = {
    "generator": (generator, (3, 16, 1, 1)),
    "audio": (audio, (3, 1, 100)),
    "unet": (UNet, (2, 3, 8, 10)),
}


def built(name: str) -> tuple[nn.Module, Tensor]:
    """The network with the weights of seed 0, and a batch."""
    build, shape = SUBJECTS[name]
    torch.manual_seed(0)
    return build(), torch.randn(shape)
