"""Thin filters that serve again: are they always those of the weight as it is?"""

import copy

import pytest
import torch
from torch import nn

from mercuric.reuse.directions.basis import PrincipalDirections
from mercuric.reuse.directions.kept_filters import KeptFilters
from mercuric.reuse.directions.product import Placement, projected_convolution


def changed_by_optimizer(weight):
    with torch.no_grad():
        weight.mul_(1.5)


def changed_past_the_version(weight):
    weight.data.mul_(1.5)


def replaced(weight):
    weight.data = weight.data * 1.5


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return nn.Conv2d(5, 40, 3, padding=1)


@pytest.fixture
def directions():
    return PrincipalDirections(
        torch.linalg.qr(torch.randn(40, 7, generator=torch.Generator().manual_seed(1)))[0]
    )


@pytest.mark.parametrize("change", [changed_by_optimizer, changed_past_the_version, replaced])
@torch.no_grad()
def test_a_changed_weight_is_seen(layer, directions, change):
    kept, images, place = KeptFilters(), torch.randn(2, 5, 9, 6), Placement(padding=(1, 1))
    for _ in range(2):
        first = kept.convolution(images, layer.weight, layer.bias, directions, place)
        torch.testing.assert_close(
            first, projected_convolution(images, layer.weight, layer.bias, directions, place)
        )
    change(layer.weight)
    found = kept.convolution(images, layer.weight, layer.bias, directions, place)
    assert not torch.allclose(found, first)
    torch.testing.assert_close(
        found, projected_convolution(images, layer.weight, layer.bias, directions, place)
    )


@torch.no_grad()
def test_other_directions_are_seen_and_a_copy_keeps_nothing(layer, directions):
    kept, images, place = KeptFilters(), torch.randn(2, 5, 9, 6), Placement()
    kept.convolution(images, layer.weight, None, directions, place)
    fewer = PrincipalDirections(directions.basis[:, :3])
    torch.testing.assert_close(
        kept.convolution(images, layer.weight, None, fewer, place),
        projected_convolution(images, layer.weight, None, fewer, place),
    )
    assert kept._kept is not None and copy.deepcopy(kept)._kept is None


def test_passes_with_gradients_and_of_other_precisions_keep_nothing(layer, directions):
    kept, images = KeptFilters(), torch.randn(2, 5, 9, 6)
    kept.convolution(images, layer.weight, layer.bias, directions, Placement()).sum().backward()
    assert layer.weight.grad is not None and kept._kept is None
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        kept.convolution(images.bfloat16(), layer.weight.bfloat16(), None, directions, Placement())
    assert kept._kept is None


@torch.no_grad()
def test_fully_connected_layers_keep_theirs_as_well(directions):
    kept, rows, layer = KeptFilters(), torch.randn(11, 13), nn.Linear(13, 40)
    for _ in range(2):
        torch.testing.assert_close(
            kept.linear(rows, layer.weight, layer.bias, directions),
            directions.project(rows @ layer.weight.T) + layer.bias,
        )
    thin = kept._kept.thin
    kept.linear(rows, layer.weight, layer.bias, directions)
    assert kept._kept.thin is thin, "the view of another pass is the same weight"
