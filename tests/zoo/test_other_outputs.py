"""Networks that give images or a number an action, against published sizes."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mercuric import data, zoo
from mercuric.zoo.unet import UNet

DQN_CONVOLUTIONS = 20**2 * 4 * 8**2 * 32 + 9**2 * 32 * 4**2 * 64 + 7**2 * 64 * 3**2 * 64
IMPALA_CONVOLUTIONS = 9 * (
    84**2 * 4 * 16 + 42**2 * (4 * 16**2 + 16 * 32) + 21**2 * 5 * 32**2 + 11**2 * 4 * 32**2
)
MIDDLE_CONVOLUTIONS = 9 * 64 * 64


def parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def macs(network: nn.Module, *shape: int) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(1, *shape, device="meta"))
    return int(counter.get_total_flops()) // 2


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]


def inputs_that_a_pixel_depends_on(network: nn.Module, side: int) -> int:
    """Pixels a side that reach the middle one of the result."""
    image = torch.rand(1, 1, side, side, requires_grad=True)
    network.eval()(image)[0, 0, side // 2, side // 2].backward()
    assert image.grad is not None
    return int((image.grad[0, 0] != 0).any(0).sum())


@pytest.mark.parametrize(("actions", "count"), [(4, 1_686_180), (6, 1_687_206), (18, 1_693_362)])
def test_dqn_has_the_papers_parameters_and_products(actions: int, count: int) -> None:
    with torch.device("meta"):
        network = zoo.build_game_network("dqn", actions)
    assert parameters(network) == count
    assert macs(network, 4, 84, 84) == DQN_CONVOLUTIONS + 3136 * 512 + 512 * actions


def test_impala_has_the_papers_15_convolutions() -> None:
    with torch.device("meta"):
        network = zoo.build_game_network("impala", 18)
    layers = convolutions(network)
    assert [layer.out_channels for layer in layers] == [16] * 5 + [32] * 10
    assert parameters(network) == 97_744 + (32 * 11 * 11 + 1) * 256 + 257 * 18 == 1_093_858
    assert macs(network, 4, 84, 84) == IMPALA_CONVOLUTIONS + 3872 * 256 + 256 * 18


def test_dncnn_has_its_authors_parameters() -> None:
    with torch.device("meta"):
        network = zoo.build_image_network("dncnn", channels=1)
    assert parameters(network) == 556_096  # as counted of their PyTorch code
    assert macs(network, 1, 40, 40) == 40**2 * (2 * 9 * 64 + 15 * MIDDLE_CONVOLUTIONS)
    assert sum(isinstance(module, nn.BatchNorm2d) for module in network.modules()) == 15


@pytest.mark.parametrize(("name", "normalisations"), [("restoration", 0), ("restoration-bn", 5)])
def test_restoration_is_seven_layers_at_full_resolution(name: str, normalisations: int) -> None:
    with torch.device("meta"):
        network = zoo.build_image_network(name)
    assert len(convolutions(network)) == 7
    assert sum(isinstance(module, nn.BatchNorm2d) for module in network.modules()) == normalisations
    assert macs(network, 3, 224, 224) == 224**2 * (2 * 9 * 3 * 64 + 5 * MIDDLE_CONVOLUTIONS)


@pytest.mark.parametrize(("name", "field"), [("restoration", 15), ("restoration-bn", 15), ("dncnn", 35)])
def test_receptive_fields(name: str, field: int) -> None:
    torch.manual_seed(0)
    assert inputs_that_a_pixel_depends_on(zoo.build_image_network(name, 1), 48) == field


def test_a_restoration_network_takes_away_what_it_estimates() -> None:
    network = zoo.build_image_network("restoration", 1)
    nn.init.zeros_(network.body[-1].weight)
    nn.init.constant_(network.body[-1].bias, 0.25)
    images = torch.rand(2, 1, 9, 7)
    assert torch.equal(network(images), images - 0.25)


def test_unet_is_the_common_one_but_for_its_upsampling() -> None:
    with torch.device("meta"):
        network = UNet(1, 3)
    halved = [(1024, 512), (512, 256), (256, 128), (128, 64)]
    transposed = sum(before * after * 4 + after for before, after in halved)
    ours = sum(before * after * 9 + 2 * after for before, after in halved)
    assert parameters(network) == 31_037_633 - transposed + ours  # of milesial/Pytorch-UNet, 3 channels
    assert len(convolutions(network)) == 23  # as many as the paper's


def test_unet_hands_maps_across_at_every_level() -> None:
    seen = {}
    with torch.device("meta"):
        network = UNet(2, 3)
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d):
                module.register_forward_hook(
                    lambda _module, given, out, name=name: seen.update(
                        {name: (tuple(given[0].shape[1:3]), tuple(out.shape[1:3]))}
                    )
                )
        assert network(torch.empty(1, 3, 32, 48)).shape == (1, 2, 32, 48)
    assert [seen[f"up.{level}.0"][0] for level in range(4)] == [(1024, 4), (512, 8), (256, 16), (128, 32)]
    assert seen["down.3.3"][1] == (1024, 2)


@pytest.mark.parametrize("name", zoo.IMAGE_NETWORKS)
def test_image_networks_train_at_an_eighth(name: str) -> None:
    images, _ = data.load("photos").train.batch(torch.arange(2))
    network = zoo.build_image_network(name, width=0.125)
    result = network(images)
    assert result.shape == images.shape
    result.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


@pytest.mark.parametrize("name", zoo.GAME_NETWORKS)
@pytest.mark.parametrize("channels", [1, 4])
def test_game_networks_train(name: str, channels: int) -> None:
    network = zoo.build_game_network(name, 6, channels, width=0.5)
    values = network(torch.rand(2, channels, 84, 84))
    assert values.shape == (2, 6)
    values.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


def test_what_came_into_a_residual_block_is_left_as_it_was() -> None:
    block = zoo.build_game_network("impala", 2).features[0][2]
    images = torch.randn(1, 16, 5, 5)
    before = images.clone()
    block(images)
    assert torch.equal(images, before)


def test_classifiers_names_have_none_of_them() -> None:
    assert not {*zoo.IMAGE_NETWORKS, *zoo.GAME_NETWORKS} & {*zoo.all_names()}


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="name was 'vgg16', but it must be one of dncnn, restoration, "):
        zoo.build_image_network("vgg16")
    with pytest.raises(ValueError, match="name was 'unet', but it must be one of dqn, impala"):
        zoo.build_game_network("unet", 4)


def test_numbers_under_1_are_refused() -> None:
    with pytest.raises(ValueError, match="channels was 0, but it must be at least 1"):
        zoo.build_image_network("unet", 0)
    with pytest.raises(ValueError, match="actions was 0, but it must be at least 1"):
        zoo.build_game_network("dqn", 0)
    with pytest.raises(ValueError, match="channels was -1, but it must be at least 1"):
        zoo.build_game_network("impala", 3, -1)
