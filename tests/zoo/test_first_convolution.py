import pytest
import torch
from torch import nn

from mercuric.zoo.first_convolution import for_small_images, with_channels


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


@pytest.mark.parametrize("bias", [True, False])
def test_small_images_keep_their_size_in_the_first_convolution(bias: bool) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 7, stride=2, padding=3, bias=bias), nn.Conv2d(4, 2, 1))
    second = network[1]
    assert for_small_images(network, 1)(torch.rand(1, 1, 9, 9)).shape == (1, 2, 9, 9)
    assert (network[0].bias is not None) == bias
    assert network[1] is second


def test_a_network_without_a_convolution_is_refused() -> None:
    with pytest.raises(ValueError, match="network was a Linear without a Conv2d"):
        with_channels(nn.Linear(3, 4), 1)
