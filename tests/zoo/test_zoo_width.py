import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mercuric import data, zoo
from mercuric.zoo.registry import NETWORKS

NARROW = [
    ("vgg13", 0.25, 32),
    ("resnet18", 0.25, 16),
    ("mobilenet-v2", 0.5, 16),
    ("squeezenet-1.0", 0.5, 16),
    ("densenet121", 0.5, 16),
]


def parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize(("name", "width", "image_size"), NARROW)
def test_a_narrow_network_trains_and_starts_at_the_scale_of_the_full_one(
    name: str, width: float, image_size: int
) -> None:
    images, _ = data.load("photos", image_size=image_size).test.batch(torch.arange(8))
    torch.manual_seed(3)
    full = zoo.build(name, 100, image_size=image_size)
    torch.manual_seed(3)
    narrow = zoo.build(name, 100, image_size=image_size, width=width)
    with torch.no_grad():
        spread = full(images).std()
    scores = narrow(images)
    assert scores.shape == (8, 100)
    assert 0.6 < scores.std() / spread < 1.6
    scores.logsumexp(1).sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in narrow.parameters())
    share = parameters(narrow) / parameters(full)
    assert width**2 < share < 1.3 * width**2


@pytest.mark.parametrize("name", ["mobilenet-v2", "resnet18", "squeezenet-1.0"])
def test_width_1_changes_no_bit(name: str) -> None:
    torch.manual_seed(0)
    full = NETWORKS[name].cifar(7, 3)
    torch.manual_seed(0)
    same = zoo.build(name, 7, width=1.0)
    assert all(map(torch.equal, full.state_dict().values(), same.state_dict().values()))


@pytest.mark.parametrize("name", zoo.names())
def test_every_large_networks_branches_fit_together_at_an_eighth(name: str) -> None:
    with torch.device("meta"):
        network = zoo.build(name, 7, 1, 75, 0.125)
        assert network(torch.empty(2, 1, 75, 75)).shape == (2, 7)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(2, 5), st.integers(0, 2**16))
def test_outputs_keep_their_variance_by_the_number_of_summed_products(
    few: int, outputs: int, factor: int, seed: int
) -> None:
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(3, factor * few, 3),
        nn.Conv2d(factor * few, factor * outputs, (1, 2)),
        nn.Flatten(),
        nn.Linear(factor * outputs * 4, 5),
    )
    before = {key: value.clone() for key, value in network.state_dict().items()}
    after = zoo.narrow(network, 1 / factor).state_dict()
    torch.testing.assert_close(after["0.weight"], before["0.weight"][:few], rtol=0, atol=0)
    torch.testing.assert_close(after["1.weight"], before["1.weight"][:outputs, :few] * factor**0.5)
    torch.testing.assert_close(after["3.weight"], before["3.weight"][:, : outputs * 4] * factor**0.5)
    torch.testing.assert_close(after["3.bias"], before["3.bias"], rtol=0, atol=0)


def test_a_depthwise_convolution_keeps_its_weights_and_one_channel_a_group() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, groups=8), nn.BatchNorm2d(8), nn.Conv2d(8, 2, 1)
    )
    drawn = network[1].weight.clone()
    zoo.narrow(network, 0.5)
    depthwise, norm = network[1], network[2]
    assert (depthwise.in_channels, depthwise.out_channels, depthwise.groups) == (4, 4, 4)
    assert torch.equal(depthwise.weight, drawn[:4])
    assert norm.num_features == len(norm.weight) == len(norm.bias) == len(norm.running_mean) == 4
    assert network(torch.rand(2, 3, 5, 5)).shape == (2, 2, 3, 3)


def test_frozen_weights_stay_frozen_and_layers_without_bias_or_statistics_shrink() -> None:
    norm = nn.BatchNorm2d(4, affine=False, track_running_stats=False)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), norm, nn.Conv2d(4, 2, 1)).requires_grad_(False)
    zoo.narrow(network, 0.25)
    assert network(torch.rand(2, 3, 8, 8)).shape == (2, 2, 6, 6)
    assert norm.num_features == 1
    assert not any(weight.requires_grad for weight in network.parameters())


@pytest.mark.parametrize("width", [0.1, 0.3, 0.7])
def test_decimal_widths_are_exact(width: float) -> None:
    network = zoo.narrow(nn.Sequential(nn.Conv2d(3, 30, 1), nn.Conv2d(30, 2, 1)), width)
    assert network[0].out_channels == round(30 * width)


@pytest.mark.parametrize(
    ("name", "width", "layer", "count"),
    [("vgg13", 0.3, "features.0", 64), ("squeezenet-1.0", 1 / 32, "features.3.squeeze.0", 16)],
)
def test_channels_that_do_not_divide_are_refused_with_the_layer(
    name: str, width: float, layer: str, count: int
) -> None:
    with pytest.raises(
        ValueError, match=f"but {layer} has {count} channels, and {count} times the width must be"
    ):
        zoo.build(name, 7, width=width)


def test_a_refused_network_is_unchanged() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 3, 1), nn.Linear(3, 2))
    before = repr(network)
    with pytest.raises(ValueError, match="1 has 3 channels"):
        zoo.narrow(network, 0.5)
    assert repr(network) == before
    with pytest.raises(ValueError, match="2 is a LayerNorm, which can't shrink"):
        zoo.narrow(nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 4), nn.LayerNorm(4)), 0.5)


@pytest.mark.parametrize("width", [0.0, -0.5, 1.0001, 2.0, float("nan"), float("inf"), 1e-12])
def test_a_width_out_of_range_is_refused(width: float) -> None:
    with pytest.raises(ValueError, match=f"width was {width}, but"):
        zoo.build("vgg13", 7, width=width)
