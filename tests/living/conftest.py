"""Every network with gradients of both kinds."""

import pytest
import torch
from living_subjects import BUILDERS


@pytest.fixture(params=BUILDERS)
def name(request: pytest.FixtureRequest) -> str:
    """Which network."""
    return str(request.param)


@pytest.fixture(params=["exact", "signature"])
def backward(request: pytest.FixtureRequest) -> str:
    """Which gradient."""
    return str(request.param)


@pytest.fixture(autouse=True)
def fresh_compiler() -> None:
    """Nothing compiled by one test is used by another."""
    torch.compiler.reset()
