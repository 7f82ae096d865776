"""Several threads beside one, for all kernels."""

from collections.abc import Iterator

import pytest
import torch

from mercuric.reuse.equal.kernels.cpu import convolution


@pytest.fixture(params=[1, 3])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Several, and panels of few windows, must give what one does."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    if request.param > 1:
        monkeypatch.setattr(convolution, "PANEL_BYTES", 1 << 10)
        monkeypatch.setattr(convolution, "THREAD_BYTES", 1)
    yield
    torch.set_num_threads(before)
