"""Does reuse go on and come off without a trace?"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mercuric import ReuseConfig, ReuseConv2d, ReuseLinear, restore_, reuse_

Builder = Callable[[], nn.Sequential]


class Scaled(nn.Conv2d):
    """A subclass with a forward pass of its own."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return 2 * super().forward(input)


class Shared(nn.Module):
    """The same convolution under two names in two modules."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 3, 3, padding=1)
        self.later = nn.ModuleDict({"again": self.first, "other": nn.Conv2d(3, 3, 3)})

    def forward(self, images: Tensor) -> Tensor:
        output: Tensor = self.later["other"](self.later["again"](self.first(images)))
        return output


def test_layers_are_replaced_in_place(network: nn.Sequential) -> None:
    others = [network[1], network[2], network[3][1]]
    handle = reuse_(network)
    assert list(handle.layers) == ["0", "3.0", "5"]
    assert [type(network[0]), type(network[3][0]), type(network[5])] == [
        ReuseConv2d,
        ReuseConv2d,
        ReuseLinear,
    ]
    assert handle.layers["3.0"] is network[3][0].reuse
    assert [network[1], network[2], network[3][1]] == others
    assert handle.config == ReuseConfig()
    assert isinstance(network[0], nn.Conv2d)
    restore_(network)
    assert [type(network[0]), type(network[3][0]), type(network[5])] == [nn.Conv2d, nn.Conv2d, nn.Linear]
    assert not hasattr(network[0], "reuse")
    assert repr(network[0]) == "Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))"


def test_the_state_dict_never_changes(network: nn.Sequential) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    for change in (reuse_, restore_):
        change(network)
        after = network.state_dict()
        assert list(after) == list(before)
        assert all(torch.equal(after[name], before[name]) for name in before)


def test_parameters_are_the_same_objects(network: nn.Sequential) -> None:
    before = list(network.parameters())
    for change in (reuse_, restore_):
        change(network)
        assert all(one is other for one, other in zip(network.parameters(), before, strict=True))


def test_a_restored_network_gives_the_same_bits(
    network: nn.Sequential, twin: Builder, photographs: Tensor
) -> None:
    handle = reuse_(network, ReuseConfig(bits=6))
    network.eval()
    reused = network(photographs)
    assert handle.report()["HIT"].sum() > 0
    restore_(network)
    plain = twin().eval()
    assert torch.equal(network(photographs), plain(photographs))
    assert not torch.equal(reused, plain(photographs))


def trained(model: nn.Module, reuse: bool) -> dict[str, Tensor]:
    """Weights after three steps; the optimizer is made first, and reuse turned on after one step."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for step in range(3):
        if step == 1 and reuse:
            reuse_(model, ReuseConfig(bits=128, granularity="patch"))
        generator = torch.Generator().manual_seed(step)
        images = torch.randn(5, 3, 32, 32, generator=generator)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), torch.arange(5)).backward()
        optimizer.step()
    return model.state_dict()


def test_an_optimizer_made_before_goes_on(twin: Builder) -> None:
    """Noise and 128 bits: no two vectors are alike, so only the order of additions differs."""
    start, dense, reused = twin().state_dict(), trained(twin(), reuse=False), trained(twin(), reuse=True)
    for name in ("0.weight", "0.bias", "3.0.weight", "3.1.weight", "5.weight", "5.bias"):
        torch.testing.assert_close(reused[name], dense[name], rtol=1e-3, atol=1e-4)
        assert (dense[name] - start[name]).abs().max() > 2e-3


def test_hooks_stay(network: nn.Sequential, photographs: Tensor) -> None:
    calls: list[str] = []
    network[0].register_forward_hook(lambda module, *_: calls.append(type(module).__name__))
    reuse_(network)
    network(photographs)
    network[5].register_forward_pre_hook(lambda module, *_: calls.append(type(module).__name__))
    restore_(network)
    network(photographs)
    assert calls == ["ReuseConv2d", "Conv2d", "Linear"]


def test_layers_that_share_their_weights() -> None:
    tied = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    tied[1].weight = tied[0].weight
    with pytest.raises(ValueError, match=r"^layers '0' and '1' share their weights, but each"):
        reuse_(tied)
    assert [type(layer) for layer in tied] == [nn.Linear, nn.Linear]
    assert list(reuse_(tied, filter_fn="1").layers) == ["1"]


def test_a_module_under_two_names_is_one_layer(photographs: Tensor) -> None:
    model = Shared()
    before = list(model.modules())
    handle = reuse_(model)
    assert list(handle.layers) == ["first", "later.other"]
    assert model.later["again"] is model.first and type(model.first) is ReuseConv2d
    model(photographs)
    vectors = handle.report().set_index("layer")["vectors"]
    assert vectors["first"] == 2 * 7 * 3 * 32 * 32
    restore_(model)
    assert list(model.modules()) == before
    assert list(reuse_(model, filter_fn="later.again").layers) == ["first"]


def test_filter_fn_chooses(network: nn.Sequential) -> None:
    asked: list[tuple[str, str]] = []

    def convolutions_but_the_first(layer: nn.Module, name: str) -> bool:
        asked.append((type(layer).__name__, name))
        return isinstance(layer, nn.Conv2d) and name != "0"

    assert list(reuse_(network, filter_fn=convolutions_but_the_first).layers) == ["3.0"]
    assert asked == [("Conv2d", "0"), ("Conv2d", "3.0"), ("Linear", "5")]
    assert type(network[0]) is nn.Conv2d


def test_subclasses_are_left_alone() -> None:
    model = nn.Sequential(Scaled(3, 3, 3), nn.Conv2d(3, 3, 3))
    assert list(reuse_(model).layers) == ["1"]
    assert type(model[0]) is Scaled
    restore_(model)
    assert type(model[0]) is Scaled


def test_training_and_frozen_layers_stay_so(network: nn.Sequential) -> None:
    network.eval()
    network[0].requires_grad_(False)
    reuse_(network)
    assert not network[0].training
    assert not network[0].weight.requires_grad
    restore_(network)
    assert not network[0].training


def test_reuse_can_be_turned_on_again(network: nn.Sequential, photographs: Tensor) -> None:
    reuse_(network, ReuseConfig(bits=4))
    restore_(network)
    handle = reuse_(network, ReuseConfig(bits=9))
    network(photographs)
    assert handle.report()["bits"].tolist() == [9, 9, 9]
    restore_(network)
    restore_(network)  # nothing left to do


def test_reuse_twice(network: nn.Sequential) -> None:
    handle = reuse_(network)
    with pytest.raises(ValueError, match=r"^model has reuse layers already; call restore_\(model\) first$"):
        reuse_(network)
    assert network[0].reuse is handle.layers["0"]


def test_nothing_to_replace(network: nn.Sequential) -> None:
    sentence = "^model has no convolution, linear or attention layer that filter_fn lets through$"
    with pytest.raises(ValueError, match=sentence):
        reuse_(network, filter_fn=lambda _layer, _name: False)
    with pytest.raises(ValueError, match=sentence):
        reuse_(nn.Sequential(nn.ReLU()))


@pytest.mark.parametrize("layer", [nn.Conv2d(3, 3, 3), nn.Linear(3, 3)])
def test_a_model_that_is_the_layer(layer: nn.Module) -> None:
    kind = type(layer).__name__
    with pytest.raises(ValueError, match=rf"^model was a single {kind}, which can't be replaced in place"):
        reuse_(layer)
    assert type(layer).__name__ == kind


def test_a_granularity_that_fits_not_every_layer(network: nn.Sequential) -> None:
    """Four channels fit the first layer (it has three) but not six."""
    network[3][0] = nn.Conv2d(6, 8, 3)
    sentence = r"^granularity was 4, but it must divide the 6 channels of each group of Conv2d\(6, 8, kernel"
    with pytest.raises(ValueError, match=sentence):
        reuse_(network, ReuseConfig(granularity=4))
    assert [type(network[0]), type(network[3][0]), type(network[5])] == [nn.Conv2d, nn.Conv2d, nn.Linear]
    with pytest.raises(ValueError, match=sentence):
        ReuseConv2d(6, 8, 3, reuse=ReuseConfig(granularity=4))
