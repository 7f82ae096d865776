"""Dropout leaves a shared tensor alone where nothing is dropped, and drops what PyTorch does elsewhere."""

import pytest
import torch
import torch.nn.functional as F
from shared_maps import Map, hold
from torch import Tensor, nn

from mercuric.reuse.equal.shared_tensor import SharedTensor

KINDS = [nn.Dropout, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout]


def tiles(count: int = 4) -> Map:
    rows = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return Map(rows, torch.arange(count * 3 * 5).view(count, 3, 5).int() % 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inplace", [False, True])
def test_nothing_is_dropped_in_evaluation_or_at_zero(kind: type[nn.Module], inplace: bool) -> None:
    for module in (kind(0.5, inplace).eval(), kind(0.0, inplace)):
        assert isinstance(hold(lambda x, module=module: module(x * 2), tiles()), SharedTensor)


@pytest.mark.parametrize("kind", [nn.Dropout, nn.Dropout2d, nn.AlphaDropout])
@pytest.mark.parametrize("inplace", [False, True])
def test_in_training_the_plain_map_is_dropped_from(kind: type[nn.Module], inplace: bool) -> None:
    module = kind(0.5, inplace)

    def dropped(x: Tensor) -> Tensor:
        torch.manual_seed(3)
        return module(x * 2)  # type: ignore[no-any-return]

    hold(dropped, tiles(), expands=True)


def test_paths_that_are_dropped_by_image_stay_shared() -> None:
    def residual(x: Tensor) -> Tensor:
        torch.manual_seed(3)
        factors = x.new_empty((x.shape[0], 1, 1, 1)).bernoulli_(0.5).div_(0.5)
        return x + x.square() * factors

    assert isinstance(hold(residual, tiles()), SharedTensor)


def test_new_tensors_are_like_the_plain_ones() -> None:
    x, plain = tiles().shared(), tiles().plain()
    for function in (
        lambda one: one.new_zeros(2, 3),
        lambda one: one.new_full((2,), 3.0),
        lambda one: one.new_tensor([1.0]),
        lambda one: one.new_ones((2, 1), dtype=torch.float32),
    ):
        torch.testing.assert_close(function(x), function(plain))
    assert x.new_empty(3).dtype == F.relu(plain).dtype
