import json
import re
from collections.abc import Callable

import pytest
from typer.testing import Result

from mercuric import zoo

Run = Callable[..., Result]
Refused = Callable[..., str]


def test_80_columns_name_every_network_and_every_kind_of_layer(
    mercuric: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = mercuric("models")
    assert result.exit_code == 0, result.output
    for words in (
        *zoo.all_names(),
        "25.6 M",
        "4.09 G",
        "depthwise",
        "adaptation",
        "a query is an input vector",
    ):
        assert words in result.stdout
    assert "\N{HORIZONTAL ELLIPSIS}" not in result.stdout
    assert re.search(r"^ squeezenet-1.0 +735 k +1.25 M +52.5 M +819 M +9 +17 ", result.stdout, re.MULTILINE)
    assert re.search(r"^ transformer +2.41 M +32.6 M +30 +9 ", result.stdout, re.MULTILINE)


def test_json_of_all_networks(mercuric: Run) -> None:
    result = mercuric("models", "--json")
    described = json.loads(result.stdout)
    assert [network["name"] for network in described["networks"]] == [*zoo.names(), zoo.TRANSFORMER]
    (resnet50,) = (network for network in described["networks"] if network["name"] == "resnet50")
    small, large = resnet50["forms"]
    assert (small["form"], small["image_size"], large["form"], large["image_size"]) == (
        "cifar", 32, "imagenet", 224
    )  # fmt: skip
    assert large["parameters"] == 25_557_032
    assert set(described["under_mercury"]) == set(large["layers_of_kind"])
    (transformer,) = described["networks"][-1]["forms"]
    assert (small["reads"], transformer["reads"]) == ("images", "sentences")
    assert transformer["layers_of_kind"]["attention"] == 9


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


def test_the_transformer_a_layer_a_row(mercuric: Run) -> None:
    printed = mercuric("models", "transformer").stdout
    for words in (
        "transformer on 12 source and 14 target subwords, vocabulary of 8000",
        "attention",
        "fully connected",
        "14.3 M of them multiply the output by",
    ):
        assert words in printed


def test_json_of_the_transformer_adds_up(mercuric: Run) -> None:
    described = json.loads(mercuric("models", "transformer", "--json").stdout)
    assert (described["source_subwords"], described["target_subwords"], described["vocabulary"]) == (
        12, 14, 8000
    )  # fmt: skip
    in_layers = sum(layer["macs"] for layer in described["layers"])
    assert described["macs"] == in_layers + described["macs_beside_layers"]


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
        (["vgg99"], "model was 'vgg99', but must be one of alexnet"),
        (["vgg13", "--image-size", 31], "image_size was 31, but vgg13 needs images of at least 32"),
        (["vgg13", "--image-size", -1], "image_size was -1, but it must be a positive number"),
        (["vgg13", "--image-size", 10**9], "image_size was 1000000000, but it must be at most 4096 pixels"),
        (["transformer", "--image-size", 32], "image_size was 32, but transformer reads sentences"),
        (["--image-size", 64], "image_size was 64, but without the name of a network it can't be given"),
    ],
)
def test_mistakes(mercuric: Run, refused: Refused, arguments: list[object], sentence: str) -> None:
    assert sentence in refused(mercuric("models", *arguments))
