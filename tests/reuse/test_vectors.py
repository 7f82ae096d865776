"""Do the shapes of input vectors say what really happens?"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mercuric import ReuseConfig, ReuseConv2d, ReuseLinear
from mercuric.reuse import Observation
from mercuric.reuse.kinds.conv2d import CONV2D
from mercuric.reuse.vectors import VectorShape, conv_vectors, group_channels, row_vectors

CONVOLUTIONS: list[tuple[dict[str, Any], Any, int]] = [
    ({}, "channel", 1),
    ({}, "patch", 4),
    ({}, 2, 2),
    ({}, 9, 4),
    ({"groups": 2}, "patch", 2),
    ({"groups": 2}, 2, 2),
    ({"groups": 2}, 1, 1),
    ({"groups": 4}, "patch", 1),
    ({"kernel_size": 1}, "channel", 4),
    ({"kernel_size": 1, "groups": 2}, 1, 2),
    ({"kernel_size": (1, 3), "stride": (2, 1)}, "channel", 1),
    ({"kernel_size": (3, 2), "dilation": 2, "padding": 2}, 2, 2),
]


def observe(layer: ReuseConv2d | ReuseLinear, inputs: Tensor) -> Observation:
    seen: list[Observation] = []
    layer.reuse.observers.append(seen.append)
    layer(inputs)
    return seen[0]


@pytest.mark.parametrize(("options", "granularity", "span"), CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("scope", ["image", "batch"])
def test_convolutions(options: dict[str, Any], granularity: Any, span: int, scope: Any) -> None:
    config = ReuseConfig(granularity=granularity, scope=scope)
    shape = {"in_channels": 4, "out_channels": 8, "kernel_size": 3, **options}
    layer = ReuseConv2d(**shape, reuse=config)
    images = torch.randn(3, 4, 9, 11)
    found = observe(layer, images)
    output = layer(images)
    positions = output.shape[2] * output.shape[3]
    assert found.shape.length == span * layer.kernel_size[0] * layer.kernel_size[1]
    assert found.shape.rows == layer.kernel_size[0]
    assert found.shape.filters == 8 // layer.groups
    groups = 4 // span
    expected = (3 * groups, positions) if scope == "image" else (groups, 3 * positions)
    assert (found.shape.scopes, found.shape.vectors) == expected
    assert found.shape.output_rows == output.shape[2] * (3 if scope == "batch" else 1)
    assert found.hitmap is not None
    assert found.hitmap.states.shape == found.hitmap.representatives.shape == expected
    assert found.shape.macs == output.numel() * layer.weight[0].numel()
    assert layer.reuse.counts.vectors == 2 * expected[0] * expected[1]


@pytest.mark.parametrize(
    ("shape", "image", "batch"),
    [
        ((7, 5), (1, 7), (1, 7)),
        ((5,), (1, 1), (1, 1)),
        ((3, 4, 5), (3, 4), (1, 12)),
        ((3, 4, 2, 5), (3, 8), (1, 24)),
    ],
)
@pytest.mark.parametrize("scope", ["image", "batch"])
def test_fully_connected_layers(
    shape: tuple[int, ...], image: tuple[int, int], batch: tuple[int, int], scope: Any
) -> None:
    layer = ReuseLinear(5, 6, reuse=ReuseConfig(scope=scope))
    found = observe(layer, torch.randn(shape))
    assert found.hitmap is not None
    expected = image if scope == "image" else batch
    assert found.shape == VectorShape(*expected, rows=1, elements=5, filters=6, images=expected[0])
    assert found.hitmap.states.shape == expected
    assert found.shape.macs == expected[0] * expected[1] * 5 * 6


@pytest.mark.parametrize("scope", ["image", "batch"])
def test_nothing(scope: Any) -> None:
    conv = nn.Conv2d(4, 8, 3)
    assert conv_vectors(CONV2D.geometry(conv), 0, (3, 3), "channel", scope).macs == 0
    assert row_vectors((0, 4, 5), 6, scope).macs == 0
    assert row_vectors((0, 5), 6, scope) == VectorShape(1, 0, 1, 5, 6)


def test_a_channel_group_must_divide_the_channels() -> None:
    assert group_channels(3, CONV2D.geometry(nn.Conv2d(6, 8, 3))) == 3
    with pytest.raises(ValueError, match=r"^granularity was 4, but it must divide the 6 channels"):
        group_channels(4, CONV2D.geometry(nn.Conv2d(6, 8, 3)))
    with pytest.raises(ValueError, match=r"^granularity was 2, but it must divide the 3 channels"):
        group_channels(2, CONV2D.geometry(nn.Conv2d(6, 8, 3, groups=2)))
