"""Real photographs, and a small network for them."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mercuric.data import load


@pytest.fixture(scope="package")
def photographs() -> Tensor:
    """Normalised crops of seven photographs, (7, 3, 32, 32) float32."""
    images, _ = load("photos").test.batch(torch.arange(7))
    return images


def small_network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Sequential(nn.Conv2d(8, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU()),
        nn.Flatten(),
        nn.Linear(8 * 7 * 7, 5),
    )


@pytest.fixture
def network() -> nn.Sequential:
    """Convolutions "0" and "3.0", fully connected layer "5", fresh weights of seed 0."""
    return small_network()


@pytest.fixture
def twin() -> Callable[[], nn.Sequential]:
    """Builds the network again, with the same weights."""
    return small_network
