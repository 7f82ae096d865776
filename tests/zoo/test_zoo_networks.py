"""Every network in both forms, against the published numbers."""

from functools import cache

import pytest
import torch
from torch import Tensor, nn

from mercuric import data, zoo

SMALL_FORM_ENDS_AT_4X4 = (
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "densenet121", "densenet169",
    "googlenet", "inception-v4", "mobilenet-v2", "squeezenet-1.0",
)  # fmt: skip
NEED_32_PIXELS = ("alexnet", "vgg13", "vgg16", "vgg19")
PUBLISHED_PARAMETERS = {
    "alexnet": 61_100_840,
    "densenet121": 7_978_856,
    "densenet169": 14_149_480,
    "googlenet": 6_624_904,
    "inception-v4": 42_679_816,
    "mobilenet-v2": 3_504_872,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "squeezenet-1.0": 1_248_424,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
}


@cache
def photos(count: int, image_size: int) -> Tensor:
    images, _ = data.load("photos", image_size=image_size).test.batch(torch.arange(count))
    return images


@pytest.mark.parametrize(("image_size", "channels"), [(41, 1), (75, 3)])
@pytest.mark.parametrize("name", zoo.names())
def test_every_network_gives_one_score_a_class(name: str, image_size: int, channels: int) -> None:
    with torch.device("meta"):
        network = zoo.build(name, 7, channels, image_size)
        scores = network(torch.empty(2, channels, image_size, image_size))
    assert isinstance(scores, Tensor)
    assert scores.shape == (2, 7)


@pytest.mark.parametrize("name", zoo.names())
def test_every_small_form_has_gradients_everywhere(name: str) -> None:
    image_size = 32 if name in NEED_32_PIXELS else 16
    network = zoo.build(name, 7, image_size=image_size, width=0.125)
    scores = network(photos(4, image_size))
    assert scores.shape == (4, 7)
    nn.functional.cross_entropy(scores, torch.arange(4)).backward()
    for key, weight in network.named_parameters():
        assert weight.grad is not None, key
        assert weight.grad.isfinite().all(), key


@pytest.mark.parametrize(("name", "parameters"), PUBLISHED_PARAMETERS.items())
def test_parameters_of_the_large_form_are_the_published_number(name: str, parameters: int) -> None:
    with torch.device("meta"):
        network = zoo.build(name, 1000, image_size=299)
    assert sum(weight.numel() for weight in network.parameters()) == parameters


@pytest.mark.parametrize("name", SMALL_FORM_ENDS_AT_4X4)
def test_the_small_form_looks_at_every_pixel_first_and_ends_at_4x4(name: str) -> None:
    sides = []
    with torch.device("meta"):
        network = zoo.build(name, 10)
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.register_forward_hook(lambda _module, _inputs, out: sides.append(out.shape[-1]))
        network(torch.empty(2, 3, 32, 32))
    assert (sides[0], min(sides)) == (32, 4)


def test_small_squeezenet_normalises_every_convolution_but_the_last() -> None:
    with torch.device("meta"):
        modules = list(zoo.build("squeezenet-1.0", 10).modules())
    convolutions = sum(isinstance(module, nn.Conv2d) for module in modules)
    assert sum(isinstance(module, nn.BatchNorm2d) for module in modules) == convolutions - 1 == 25


@pytest.mark.parametrize("image_size", [32, 65])
def test_squeezenets_scores_take_both_signs(image_size: int) -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        scores = zoo.build("squeezenet-1.0", 50, image_size=image_size).eval()(photos(2, image_size))
    assert (scores < 0).any()
    assert (scores > 0).any()


def test_grey_images_reach_large_squeezenets_end_as_large_as_coloured_ones() -> None:
    spreads = []
    for channels in (1, 3):
        torch.manual_seed(0)
        network = zoo.build("squeezenet-1.0", 50, channels, 96).eval()
        with torch.no_grad():
            spreads.append(network(photos(2, 96)[:, :channels]).std())
    assert 0.4 < spreads[0] / spreads[1] < 2.5


def test_inception_v4_needs_larger_images_in_its_large_form() -> None:
    with pytest.raises(ValueError, match="image_size was 74, but inception-v4 needs images of at least 75"):
        zoo.build("inception-v4", 10, image_size=74)
