"""Are the bounds those of every kind of layer, and not of two-dimensional convolutions alone?"""

import pytest
import torch
from torch import Tensor, nn

from mercuric.studies.bounds.limits import dense_macs, outputs_of, similar_element_macs, zero_pruning_macs


def products(layer: nn.Module, x: Tensor) -> int:
    """Products of two numbers that aren't zero, by layers of ones and zeros; padding is zeros."""
    ones = type(layer)(
        layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding,
        groups=layer.groups, bias=False,
    )  # fmt: skip
    ones.weight.data = (layer.weight != 0).float()
    return int(ones((x != 0).float()).sum())


@pytest.mark.parametrize(
    ("layer", "sides", "outputs"),
    [
        (nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2), (11,), 2 * 6),
        (nn.Conv1d(4, 6, 3), (11,), 2 * 9),
        (nn.ConvTranspose2d(4, 6, 3, groups=2), (5, 4), 2 * 20),
        (nn.ConvTranspose2d(4, 6, 2, stride=2), (5, 4), 2 * 20),
    ],
)
def test_bounds(layer: nn.Module, sides: tuple[int, ...], outputs: int) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(-1, 3, (2, 4, *sides), generator=generator).float()
    layer.weight.data = torch.randint(-1, 2, layer.weight.shape, generator=generator).float()
    assert outputs_of(layer, x) == outputs
    assert dense_macs(layer, x) == outputs * layer.weight.numel()
    assert zero_pruning_macs(layer, x) == products(layer, x) < dense_macs(layer, x)
    assert 0 < similar_element_macs(layer, x) <= 2 * 4 * 3 * 2
