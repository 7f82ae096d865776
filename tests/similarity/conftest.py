"""A real photograph."""

import pytest
import torch
from torch import Tensor

from mercuric.data import load


@pytest.fixture(scope="package")
def photographs() -> Tensor:
    """Seven normalised crops of seven photographs, (7, 3, 32, 32) float32."""
    images, _ = load("photos").test.batch(torch.arange(7))
    return images
