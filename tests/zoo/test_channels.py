"""Which channels shrink together, and does a network fit together afterwards?"""

from collections.abc import Mapping

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mercuric import zoo
from mercuric.zoo.channels import Channels, find_channels, narrow_channels

STAGES = ("32 px", "16 px", "8 px", "1 px")
FACTORS = st.floats(0.05, 1) | st.sampled_from([0.7, 0.8, 0.9, 1.0])


class Everything(nn.Module):
    """A residual block with a depthwise convolution, a concatenation, groups, and a flattening."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 16, 3, padding=1)
        self.norm = nn.BatchNorm2d(16)
        self.expand = nn.Conv2d(16, 32, 1, bias=False)
        self.depthwise = nn.Conv2d(32, 64, 3, padding=1, groups=32)
        self.project = nn.Conv2d(64, 16, 1)
        self.branch = nn.Conv2d(16, 24, 3, stride=2, padding=1)
        self.other = nn.Conv2d(16, 32, 1, stride=2)
        self.both = nn.BatchNorm2d(56)
        self.grouped = nn.Conv2d(56, 32, 3, groups=2)
        self.flat = nn.Flatten()
        self.hidden = nn.Linear(32 * 4, 40)
        self.classes = nn.Linear(40, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.first(x)))
        x = x + self.project(F.relu6(self.depthwise(self.expand(x))))
        x = torch.cat([self.branch(x), self.other(x)], 1)
        x = F.max_pool2d(self.grouped(self.both(x).relu()), 1)
        return self.classes(torch.relu(self.hidden(self.flat(x))))


def drawn(factors: st.DataObject, channels: Channels) -> Mapping[str, float]:
    return {stage: factors.draw(FACTORS, label=stage) for stage in channels.stages}


def silence(network: nn.Module, channels: Channels, counts: tuple[int, ...]) -> None:
    """Zero the weights that write the channels that a narrow network doesn't have."""
    gone = {c for one, n in zip(channels.sets, counts, strict=True) for c in one.channels[n:]}
    for name, written in channels.trace.outputs.items():
        layer = network.get_submodule(name)
        for place, channel in enumerate(written):
            if channel in gone:
                layer.weight.data[place] = 0
                if layer.bias is not None:
                    layer.bias.data[place] = 0


@settings(max_examples=25, deadline=None)
@given(st.data(), st.sampled_from([1, 2, 4, 8]))
def test_a_narrow_network_computes_what_the_wide_one_does_without_the_channels_that_left(
    data: st.DataObject, divisor: int
) -> None:
    torch.manual_seed(0)
    wide, narrow = Everything().double().eval(), Everything().double().eval()
    narrow.load_state_dict(wide.state_dict())
    channels = find_channels(wide.float(), 3, 8, divisor)
    wide.double()
    counts = channels.counts(drawn(data, channels))
    narrow_channels(narrow, channels, counts)
    for name, layer in narrow.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.weight.data /= (wide.get_submodule(name).weight.shape[1] / layer.weight.shape[1]) ** 0.5
    silence(wide, channels, counts)
    images = torch.rand(2, 3, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(narrow(images), wide(images))


def test_the_sets_of_a_network_that_has_everything() -> None:
    channels = find_channels(Everything(), 3, 8)
    found = {one.layers: (len(one.channels), one.unit, one.side) for one in channels.sets}
    assert found == {
        ("first", "project"): (16, 8, 8),
        ("expand", "depthwise"): (32, 8, 8),
        ("branch", "other"): (24, 8, 4),
        ("other",): (4, 4, 4),
        ("grouped",): (16, 4, 2),
        ("hidden",): (40, 8, 1),
    }


@pytest.mark.parametrize("name", ["alexnet", "custom-cnn", "mobilenet-v2", "resnet18", "squeezenet-1.0"])
@settings(max_examples=2, deadline=None)
@given(data=st.data())
def test_a_network_of_the_zoo_trains_after_it_was_narrowed(name: str, data: st.DataObject) -> None:
    network = zoo.build(name, 7, image_size=32, width=0.5)
    channels = find_channels(network, 3, 32)
    narrow_channels(network, channels, channels.counts(drawn(data, channels)))
    scores = network(torch.rand(2, 3, 32, 32))
    assert scores.shape == (2, 7)
    scores.logsumexp(1).sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())
    assert network.training


@pytest.mark.parametrize("size", [32, 96])
@pytest.mark.parametrize("name", ["densenet121", "googlenet", "inception-v4", "resnet50", "vgg13"])
@settings(max_examples=1, deadline=None)
@given(data=st.data())
def test_the_branches_of_a_large_network_fit_together(name: str, size: int, data: st.DataObject) -> None:
    with torch.device("meta"):
        network = zoo.build(name, 7, 1, size)
        channels = find_channels(network, 1, size)
        narrow_channels(network, channels, channels.counts(drawn(data, channels)))
        assert network(torch.empty(2, 1, size, size)).shape == (2, 7)
    assert 4 <= len(channels.stages) <= 6


def test_counts_are_multiples_of_8_at_least_8_and_depthwise_groups_follow() -> None:
    network = zoo.build("mobilenet-v2", 7)
    channels = find_channels(network, 3, 32)
    narrow_channels(network, channels, channels.counts(dict.fromkeys(channels.stages, 0.7)))
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert all(layer.out_channels % 8 == 0 and layer.out_channels >= 8 for layer in convolutions)
    depthwise = [layer for layer in convolutions if layer.groups > 1]
    assert len(depthwise) == 17
    assert all(layer.in_channels == layer.out_channels == layer.groups for layer in depthwise)
    assert convolutions[0].in_channels == 3 and convolutions[0].out_channels == 24
    assert network.classifier[1].out_features == 7


def test_each_stage_has_its_own_factor() -> None:
    network = zoo.build("vgg13", 7, width=0.25)
    channels = find_channels(network, 3, 32)
    assert channels.stages == ("32 px", "16 px", "8 px", "4 px", "2 px")
    factors = dict(zip(channels.stages, (1, 0.5, 1, 0.6, 0.01), strict=True))
    narrow_channels(network, channels, channels.counts(factors))
    widths = [layer.out_channels for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert widths == [16, 16, 16, 16, 64, 64, 80, 80, 8, 8]


def test_factors_of_1_change_no_bit_and_keep_odd_counts() -> None:
    network = zoo.build("custom-cnn", 7, width=0.125)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    channels = find_channels(network, 3, 32)
    narrow_channels(network, channels, channels.counts(dict.fromkeys(channels.stages, 1.0)))
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert channels.counts({**dict.fromkeys(channels.stages, 1.0), "32 px": 0.1})[0] == 4


class Shuffled(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        return self[1](F.channel_shuffle(self[0](x), 2))


class Branching(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        return self[0](x) if x.sum() > 0 else self[0](-x)


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        (Shuffled(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1)), "the operation .*shuffle.* may mix channels"),
        (nn.Sequential(nn.Conv2d(3, 8, 1), nn.PixelShuffle(2)), "1, a PixelShuffle, may mix channels"),
        (Branching(nn.Conv2d(3, 8, 1)), "network was a Branching, which torch.fx can't trace: symbolically"),
        (nn.Sequential(nn.Conv2d(3, 8, 1), nn.GroupNorm(2, 8)), "1 is a GroupNorm, which can't shrink"),
        (nn.Sequential(nn.Conv2d(3, 8, 1), nn.Linear(6, 4)), "1 was given 4 dimensions, but must be given"),
    ],
)
def test_a_network_that_cannot_be_followed_is_refused_by_name(layers: nn.Module, sentence: str) -> None:
    before = repr(layers)
    with pytest.raises(ValueError, match=sentence):
        find_channels(layers, 3, 6)
    assert repr(layers) == before and layers.training


@pytest.mark.parametrize(
    ("factors", "sentence"),
    [
        ({"32 px": 0.5}, "factors were of 32 px, but must be of the stages 32 px, 16 px"),
        (
            dict.fromkeys(("32 px", "16 px", "8 px", "1 px"), 0),
            "the factor of 32 px was 0, but must be above",
        ),
        (dict.fromkeys(("32 px", "16 px", "8 px", "1 px"), 1.5), "the factor of 32 px was 1.5, but"),
    ],
)
def test_wrong_factors_are_refused(factors: dict[str, float], sentence: str) -> None:
    with torch.device("meta"):
        channels = find_channels(zoo.build("custom-cnn", 7), 3, 32)
    with pytest.raises(ValueError, match=sentence):
        channels.counts(factors)
