"""The bounds of VII-D against counting every product one by one."""

from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mercuric.accelerator import CycleCounter, simulate
from mercuric.studies.bounds.limits import (
    dense_macs,
    outputs_of,
    similar_element_macs,
    ucnn_macs,
    zero_pruning_macs,
)
from mercuric.studies.bounds.study import measure


def products(layer: nn.Conv2d, x: Tensor) -> list[tuple[int, int, int, float, float]]:
    """(image, channel, filter, input, weight) of every multiplication, padding included."""
    padded = F.pad(x, [layer.padding[1], layer.padding[1], layer.padding[0], layer.padding[0]])
    height, width = layer(x).shape[2:]
    inputs, filters = x.shape[1] // layer.groups, layer.out_channels // layer.groups
    found = []
    for image, m, c, i, j, a, b in product(
        range(len(x)), range(layer.out_channels), range(inputs), range(height), range(width),
        range(layer.kernel_size[0]), range(layer.kernel_size[1]),
    ):  # fmt: skip
        channel = m // filters * inputs + c
        row = i * layer.stride[0] + a * layer.dilation[0]
        column = j * layer.stride[1] + b * layer.dilation[1]
        found.append(
            (image, channel, m, padded[image, channel, row, column].item(), layer.weight[m, c, a, b].item())
        )
    return found


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[nn.Conv2d, Tensor]:
    groups = draw(st.sampled_from([1, 2]))
    kernel = draw(st.sampled_from([(1, 1), (3, 3), (2, 3)]))
    layer = nn.Conv2d(
        groups * draw(st.integers(1, 2)),
        groups * draw(st.integers(1, 3)),
        kernel,
        stride=draw(st.integers(1, 2)),
        padding=draw(st.integers(0, 1)),
        dilation=draw(st.integers(1, 2)),
        groups=groups,
    )
    generator = torch.Generator().manual_seed(draw(st.integers(0, 9)))
    x = torch.randint(-2, 3, (draw(st.integers(1, 2)), layer.in_channels, 6, 5), generator=generator)
    with torch.no_grad():
        layer.weight.copy_(torch.randint(-2, 3, layer.weight.shape, generator=generator))
    return layer, x.float()


@given(convolutions())
@settings(max_examples=30, deadline=None)
def test_zero_pruning_counts_what_has_no_zero(drawn: tuple[nn.Conv2d, Tensor]) -> None:
    layer, x = drawn
    listed = products(layer, x)
    assert dense_macs(layer, x) == len(listed)
    assert zero_pruning_macs(layer, x) == sum(value != 0 and weight != 0 for *_, value, weight in listed)


@given(convolutions())
@settings(max_examples=30, deadline=None)
def test_similar_elements_bound_the_distinct_products(drawn: tuple[nn.Conv2d, Tensor]) -> None:
    layer, x = drawn
    listed = products(layer, x)
    distinct = {
        (image, channel, value, weight) for image, channel, _, value, weight in listed if value and weight
    }
    counted = similar_element_macs(layer, x)
    assert len(distinct) <= counted <= dense_macs(layer, x)
    if layer.kernel_size == (1, 1) and layer.stride == (1, 1):
        assert counted == len(distinct)


def test_ucnn_by_hand() -> None:
    """Levels of 3 bits are whole numbers from -3 to 3: filters with 2 and 3 different ones beside 0."""
    layer = nn.Conv2d(1, 2, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[[[3.0, 1.1], [0.9, 0.2]]], [[[-3.0, 2.0], [1.0, 1.0]]]]))
    assert ucnn_macs(layer, outputs=10, bits=3) == 10 * (2 + 3)
    assert ucnn_macs(layer, outputs=10, bits=16) == 10 * (4 + 3)
    assert ucnn_macs(layer, outputs=10, bits=3, free_additions=False) == 10 * (2 + 3 + 3 + 4) // 2


def test_a_fully_connected_layer_by_hand() -> None:
    layer = nn.Linear(2, 3, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 0.0], [1.0, 2.0], [3.0, 0.0]]))
    x = torch.tensor([[1.0, 5.0], [1.0, 0.0], [2.0, 5.0]])
    assert outputs_of(layer, x) == 3
    assert dense_macs(layer, x) == 3 * 6
    assert zero_pruning_macs(layer, x) == 3 * 3 + 2 * 1
    assert similar_element_macs(layer, x) == 2 * 2 + 1 * 1


def test_rounding_makes_more_alike() -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv2d(2, 4, 3), torch.randn(2, 2, 9, 9).relu()
    exact, rounded = similar_element_macs(layer, x), similar_element_macs(layer, x, bits=4)
    assert rounded < exact <= dense_macs(layer, x)
    assert ucnn_macs(layer, 49, 3) < ucnn_macs(layer, 49, 8)


def test_all_zeros_leave_nothing() -> None:
    layer, x = nn.Conv2d(1, 1, 3), torch.zeros(1, 1, 5, 5)
    assert zero_pruning_macs(layer, x) == similar_element_macs(layer, x) == 0
    assert similar_element_macs(layer, x, bits=8) == 0


@pytest.mark.parametrize("bits", [1, 17])
def test_bits_out_of_range(bits: int) -> None:
    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=f"bits was {bits}, but must be from 2 to 16"):
        ucnn_macs(layer, 1, bits)
    with pytest.raises(ValueError, match=f"bits was {bits}, but must be from 2 to 16"):
        similar_element_macs(layer, torch.zeros(1, 2), bits)


def test_cycles_are_of_one_inference_though_statistics_are_taken_first() -> None:
    torch.manual_seed(0)
    network, images = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), torch.randn(2, 3, 8, 8)
    subject: Any = SimpleNamespace(network=network, inputs=images)
    config: Any = SimpleNamespace(bits=20)
    measured = measure(subject, config, CycleCounter("eyeriss-168", training=False))
    simulated = simulate(network, images, training=False)
    assert simulated.normalisation == "data"
    columns = ["cycles_baseline", "cycles_mercury"]
    assert measured[columns].equals(simulated.layers[columns])
