import json
from collections.abc import Callable

import pytest
from typer.testing import Result

from mercuric import zoo

Run = Callable[..., Result]
Refused = Callable[..., str]


def test_the_table_names_every_network_and_every_kind_of_layer(mercuric: Run) -> None:
    result = mercuric("models")
    assert result.exit_code == 0, result.output
    for words in (*zoo.names(), "25.6 M", "4.09 G", "depthwise", "left dense", "a query is an input vector"):
        assert words in result.stdout


def test_json_of_all_networks(mercuric: Run) -> None:
    result = mercuric("models", "--json")
    described = json.loads(result.stdout)
    assert [network["name"] for network in described["networks"]] == list(zoo.names())
    (resnet50,) = (network for network in described["networks"] if network["name"] == "resnet50")
    small, large = resnet50["forms"]
    assert (small["form"], small["image_size"], large["form"], large["image_size"]) == (
        "cifar", 32, "imagenet", 224
    )  # fmt: skip
    assert large["parameters"] == 25_557_032
    assert set(described["under_mercury"]) == set(large["layers_of_kind"])


def test_one_network_a_layer_a_row(mercuric: Run) -> None:
    result = mercuric("models", "squeezenet-1.0", "--image-size", 224)
    assert result.exit_code == 0, result.output
    for words in (
        "squeezenet-1.0 at 224 px, 1000 classes",
        "features.3.expand3x3",
        "1x1",
        "1.25 M parameters",
    ):
        assert words in result.stdout


@pytest.mark.parametrize("options", [[], ["--image-size", 96]])
def test_json_of_one_network_adds_up(mercuric: Run, options: list[object]) -> None:
    described = json.loads(mercuric("models", "resnet18", "--json", *options).stdout)
    assert described["macs"] == sum(layer["macs"] for layer in described["layers"])
    assert sum(described["layers_of_kind"].values()) == len(described["layers"])
    for layer in described["layers"]:
        assert layer["macs"] == layer["vectors"] * layer["length"] * layer["filters"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["vgg99"], "name was 'vgg99', but it must be one of alexnet"),
        (["vgg13", "--image-size", 31], "image_size was 31, but vgg13 needs images of at least 32"),
        (["vgg13", "--image-size", -1], "image_size was -1, but it must be a positive number"),
        (["vgg13", "--image-size", 10**9], "image_size was 1000000000, but it must be at most 4096 pixels"),
        (["--image-size", 64], "image_size was 64, but without the name of a network it can't be given"),
    ],
)
def test_mistakes(mercuric: Run, refused: Refused, arguments: list[object], sentence: str) -> None:
    assert sentence in refused(mercuric("models", *arguments))
