import pytest
import torch
from torch import nn

from mercuric.zoo.first_convolution import with_channels


def test_only_the_first_convolution_changes_and_keeps_its_geometry() -> None:
    network = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, (3, 5), stride=2, padding=1, dilation=2, bias=False)),
        nn.Conv2d(4, 2, 1),
    )
    second = network[1]
    image = torch.rand(1, 3, 20, 20)
    before = network(image).shape
    assert with_channels(network, 1) is network
    assert network(image[:, :1]).shape == before
    assert network[0][0].bias is None
    assert network[1] is second


def test_the_same_number_of_channels_changes_nothing() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3))
    first = network[0]
    assert with_channels(network, 3)[0] is first


def test_a_network_without_a_convolution_is_refused() -> None:
    with pytest.raises(ValueError, match="network was a Linear without a Conv2d"):
        with_channels(nn.Linear(3, 4), 1)
