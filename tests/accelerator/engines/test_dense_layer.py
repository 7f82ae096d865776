from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from mercuric.accelerator.engines.dense_layer import DenseLayer, read_layers
from mercuric.torchvision_operators import torchvision
from mercuric.trace.workload import read_workloads

LAYER = DenseLayer(
    "conv",
    images=2,
    groups=4,
    channels=8,
    filters=12,
    kernel=(3, 5),
    output=(7, 6),
    stride=(2, 1),
    dilation=(1, 2),
    size=(14, 12),
    padding=(1, 4),
)


class Odd(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 12, (3, 5), stride=(2, 1), padding=(1, 4), dilation=(1, 2), groups=4)
        self.same = nn.Conv2d(12, 2, 3, padding="same")
        self.linear = nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.same(self.conv(x))
        return self.linear(x)


def test_every_number_of_a_convolution_is_read() -> None:
    conv, same, linear = read_layers(Odd(), torch.zeros(2, 8, 14, 12))
    assert conv == replace(LAYER, output=(7, 12))
    assert (same.padding, same.output, same.kernel) == ((1, 1), (7, 12), (3, 3))
    assert (linear.images, linear.channels, linear.filters, linear.output) == (2 * 2 * 7, 12, 3, (1, 1))


def test_layers_multiply_as_often_as_the_workloads_of_the_same_network() -> None:
    with torch.device("meta"):
        network, images = torchvision.models.mobilenet_v2(), torch.empty(2, 3, 97, 64)
        layers, workloads = read_layers(network, images), read_workloads(network, images)
    assert [layer.name for layer in layers] == [workload.layer for workload in workloads]
    assert [layer.macs for layer in layers] == [workload.macs for workload in workloads]


def test_a_layer_called_twice_is_there_twice_and_the_network_stays_in_training() -> None:
    layer = nn.Linear(4, 4)
    network = nn.Sequential(layer, nn.Dropout(), layer)
    assert len(read_layers(network, torch.zeros(1, 4))) == 2
    assert network.training
    assert not layer._forward_hooks


def test_layers_of_one_shape_differ_in_name_alone() -> None:
    assert replace(LAYER, name="other").shape == LAYER.shape
    for field in ("images", "output", "stride", "dilation", "padding", "size"):
        value = getattr(LAYER, field)
        other = value + 1 if isinstance(value, int) else (value[0] + 1, value[1])
        assert replace(LAYER, **{field: other}).shape != LAYER.shape


def test_a_network_without_such_layers_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"model was a ReLU that called no layer"):
        read_layers(nn.ReLU(), torch.zeros(1))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"images": 0}, "images of layer 'conv' was 0, but must be at least 1"),
        ({"kernel": (3, 0)}, r"kernel of layer 'conv' was \(3, 0\), but must be at least 1"),
        ({"padding": (-1, 0)}, r"padding of layer 'conv' was \(-1, 0\), but must be at least 0"),
        ({"groups": 8}, "groups of layer 'conv' was 8, but must divide its 8 channels and 12 filters"),
    ],
)
def test_a_number_out_of_range_is_named(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(LAYER, **wrong)
