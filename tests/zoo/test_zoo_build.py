import pytest
import torch
from torch import nn

from mercuric import data, zoo
from mercuric.torchvision_operators import torchvision

CIFAR_CASES = [
    *((name, size) for name in ("vgg13", "vgg16") for size in (32, 47, 64)),
    *(("alexnet", size) for size in (31, 32, 64)),
    *(("custom-cnn", size) for size in (16, 28, 32, 45, 64)),
]
SMALLEST = {"vgg13": 32, "vgg16": 32, "vgg19": 32, "alexnet": 31}


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("name", "image_size"), CIFAR_CASES)
def test_the_form_for_small_images(name: str, image_size: int, channels: int) -> None:
    photos, _ = data.load("photos", image_size=image_size).test.batch(torch.arange(2))
    network = zoo.build(name, 7, channels, image_size)
    assert network.training
    scores = network(photos[:, :channels])
    assert scores.shape == (2, 7)
    scores.logsumexp(1).sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("name", "image_size"), [("alexnet", 65), ("custom-cnn", 224)])
def test_the_form_for_large_images(name: str, image_size: int, channels: int) -> None:
    photos, _ = data.load("photos", image_size=image_size).test.batch(torch.arange(1))
    with torch.inference_mode():
        assert zoo.build(name, 7, channels, image_size)(photos[:, :channels]).shape == (1, 7)


@pytest.mark.parametrize("name", ["vgg13", "vgg16", "alexnet"])
def test_large_images_get_torchvisions_own_network(name: str) -> None:
    constructor = getattr(torchvision.models, name)
    with torch.device("meta"):
        ours, theirs = zoo.build(name, 10, image_size=224), constructor(weights=None, num_classes=10)
    assert type(ours) is type(theirs)
    assert {key: value.shape for key, value in ours.state_dict().items()} == {
        key: value.shape for key, value in theirs.state_dict().items()
    }


@pytest.mark.parametrize(("name", "count"), [("vgg13", 10), ("vgg16", 13), ("alexnet", 5), ("custom-cnn", 3)])
def test_both_forms_have_the_networks_convolutions(name: str, count: int) -> None:
    with torch.device("meta"):
        small, large = (convolutions(zoo.build(name, 10, image_size=size)) for size in (32, 224))
    assert len(small) == len(large) == count
    assert [layer.out_channels for layer in small] == [layer.out_channels for layer in large]


def test_small_vgg_has_batch_normalisation_and_one_fully_connected_layer() -> None:
    with torch.device("meta"):
        modules = list(zoo.build("vgg16", 10).modules())
    assert sum(isinstance(module, nn.BatchNorm2d) for module in modules) == 13
    assert [(m.in_features, m.out_features) for m in modules if isinstance(m, nn.Linear)] == [(512, 10)]


@pytest.mark.parametrize("channels", [1, 3])
def test_weights_come_from_torchs_generator(channels: int) -> None:
    states = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        states.append(zoo.build("vgg13", 3, channels).state_dict())
    first, again, other = states
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["features.0.weight"], other["features.0.weight"])


def test_the_small_network_learns_photographs() -> None:
    torch.manual_seed(0)
    photos = data.load("photos")
    network = zoo.build("custom-cnn", 7)
    optimiser = torch.optim.Adam(network.parameters())
    for step in range(40):
        images, labels = photos.train.batch(torch.arange(64) + 64 * step)
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimiser.step()
    images, labels = photos.test.batch(torch.arange(2100))
    with torch.no_grad():
        accuracy = (network(images).argmax(1) == labels).float().mean()
    assert accuracy > 0.4  # chance is 0.14; seeds reach 0.61 to 0.73


@pytest.mark.parametrize(
    ("image_size", "form"), [(1, "cifar"), (64, "cifar"), (65, "imagenet"), (224, "imagenet")]
)
def test_form(image_size: int, form: str) -> None:
    assert zoo.form(image_size) == form


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match="name was 'vgg99', but it must be one of alexnet, custom-cnn, densenet121, "
    ):
        zoo.build("vgg99", 10)
    assert list(zoo.names()) == sorted(zoo.names())
    assert len(zoo.names()) >= 16


def test_what_a_network_reads() -> None:
    assert list(zoo.all_names()) == sorted([*zoo.names(), "transformer"])
    assert (zoo.reads("vgg13"), zoo.reads(zoo.TRANSFORMER)) == ("images", "sentences")
    with pytest.raises(ValueError, match=r"name was 'vgg99', but it must be one of .*, transformer, vgg13, "):
        zoo.reads("vgg99")


@pytest.mark.parametrize("name", zoo.names())
def test_images_that_are_too_small_are_refused_with_the_smallest(name: str) -> None:
    smallest = SMALLEST.get(name, 16)
    wrong = f"image_size was {smallest - 1}, but {name} needs images of at least {smallest} pixels"
    with pytest.raises(ValueError, match=wrong):
        zoo.build(name, 10, image_size=smallest - 1)


@pytest.mark.parametrize("argument", ["classes", "channels", "image_size"])
@pytest.mark.parametrize("value", [0, -3])
def test_numbers_that_are_not_positive_are_refused(argument: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{argument} was {value}, but it must be"):
        zoo.build("vgg13", **{"classes": 10, argument: value})
