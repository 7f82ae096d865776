import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import Result

from mercuric import zoo

Run = Callable[..., Result]
Refused = Callable[..., str]


def checkpoint(path: Path, channels: int = 3) -> Path:
    torch.manual_seed(1)
    weights = zoo.build("custom-cnn", 7, channels, 16).state_dict()
    save_file({f"model.{name}": tensor for name, tensor in weights.items()}, path)
    return path


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--accelerator", "tpu"], "accelerator was 'tpu', but must be one of 'broadcast-168'"),
        (["--images", 0], "images was 0, but must be from 1 to the 24 of photos"),
        (["--images", 25], "images was 25, but must be from 1 to the 24 of photos"),
        (["--images", 1, "--image-size", 8], "image_size was 8, but custom-cnn needs images of at least 16"),
        (["--images", 1, "--image-size", 0], "image_size was 0, but must be greater than or equal to 1"),
        (["--data", "mnist"], "data was 'mnist', but must be one of photos"),
        (["--seed", -1], "seed was -1, but must be greater than or equal to 0"),
        (["--seed", 10**30], "seed was 1000000000000000000000000000000, but must be less than"),
        (["--weights", "/no/such.safetensors"], "there is no checkpoint /no/such.safetensors"),
        (["--set", "hit_ports=2"], "hit_ports of accelerator 'eyeriss-168 with hit_ports=2' was 2"),
        (["--accelerator", "weight-168", "--set", "hit_ports=0"], "hit_ports was 0, but must be from 1"),
        (["--accelerator", "weight-168", "--set", "hit_cycles=2"], "hit_cycles was 2, but must be 0 or 1"),
        (["--images", 1, "--gradients", "own", "--inference"], "gradients was 'own', but must be"),
        (["--set", "weight_blocks=0"], "with weight_blocks=0' was 0, but must be at least 1"),
        (["--set", "gradient_signatures=some"], "gradient_signatures was 'some'"),
        (["--config", "/no/such.yaml"], "the configuration /no/such.yaml can't be read"),
    ],
)
def test_a_wrong_option(mercuric: Run, refused: Refused, options: list[object], sentence: str) -> None:
    assert sentence in refused(mercuric("simulate", "custom-cnn", *options))


def test_both_baselines_stand_side_by_side(mercuric: Run) -> None:
    network = ["custom-cnn", "--images", 1, "--image-size", 16]

    def figures(*options: object) -> dict[str, Any]:
        done = mercuric("simulate", *network, *options, "--json")
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    slow = ("--set", "dram_words_per_cycle=0.25", "--set", "arrays=2", "--set", "link_words_per_cycle=0.5")
    for bounded in (slow, ()):
        both = figures("--accelerator", "weight-168", *bounded)
        cycles, baselines = both["cycles"], both["baselines"]
        assert baselines == {"channel": cycles["paper"]["baseline"], "whole": cycles["fair"]["baseline"]}
    one = figures("--accelerator", "weight-168-whole-free")
    assert one["baselines"] == baselines
    assert one["cycles"]["paper"] == one["cycles"]["fair"]
    assert one["cycles"]["paper"] == {**cycles["paper"], "baseline": baselines["whole"]}
    assert figures()["baselines"] == {}
    shown = mercuric("simulate", *network, "--accelerator", "weight-168").stdout
    assert "dense, by channel" in shown
    assert "dense, whole depth" in shown


def test_an_unknown_network(mercuric: Run, refused: Refused) -> None:
    assert "model was 'custom-rnn', but must be one of" in refused(mercuric("simulate", "custom-rnn"))


def test_a_network_that_reads_sentences(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    pairs = "".join(f"the {a} sees a {b}\tdie {a} sieht {b}\n" for a in ("cat", "dog") for b in "xyz")
    for part in ("train", "test"):
        (tmp_path / f"{part}.tsv").write_text(pairs)
    options = ["--data", "tsv", "--data-root", tmp_path, "--images", 3, "--batch", 2, "--energy"]
    result = mercuric("simulate", "transformer", *options, "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert (summary["pairs"], summary["batch"], summary["data"]) == (3, 2, "tsv")
    assert {layer["kind"] for layer in summary["layers"]} == {"linear", "attention", "dense"}
    assert "3 sentence pairs of tsv" in " ".join(mercuric("simulate", "transformer", *options).stdout.split())
    assert "which holds images, but transformer needs sentences" in refused(
        mercuric("simulate", "transformer", "--data", "photos")
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("bits: 0", "bits was 0, but must be greater than or equal to 1"),
        ("bits: 129", "bits was 129, but must be less than or equal to 128"),
        ("bit: 20", "Alike has no key 'bit'"),
        ("granularity: row", "granularity was 'row'"),
        ("granularity: 2", "granularity was 2, but it must divide the 3 channels"),
        ("{entries: 10, ways: 3}", "entries was 10, but must be a positive multiple of ways (3)"),
        ("bits: [", "reuse.yaml is not valid YAML: while parsing"),
    ],
)
def test_a_wrong_configuration(
    mercuric: Run, refused: Refused, tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "reuse.yaml"
    path.write_text(text)
    assert sentence in refused(mercuric("simulate", "custom-cnn", "--images", 1, "--config", path))


def test_weights_of_another_network(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    grey = checkpoint(tmp_path / "grey.safetensors", channels=1)
    sentence = refused(mercuric("simulate", "custom-cnn", "--weights", grey))
    assert f"the checkpoint {grey} is of another network" in sentence
    grey.write_bytes(b"no weights")
    assert f"{grey} can't be read as weights" in refused(
        mercuric("simulate", "custom-cnn", "--weights", grey)
    )


def test_json_adds_up(mercuric: Run) -> None:
    result = mercuric("simulate", "custom-cnn", "--images", 2, "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    summary = json.loads(result.stdout)
    for timing, prefix in (("paper", "cycles"), ("fair", "fair")):
        cycles = summary["cycles"][timing]
        assert summary["speedup"][timing] == cycles["baseline"] / cycles["mercury"]
        for part in ("baseline", "mercury", "signature"):
            assert cycles[part] == sum(layer[f"{prefix}_{part}"] for layer in summary["layers"])
    layers = summary["layers"]
    assert [layer["layer"] for layer in layers] == [
        "features.0", "features.3", "features.6", "classifier.1", "classifier.3"
    ]  # fmt: skip
    hits, vectors = (sum(layer[key] for layer in layers) for key in ("HIT", "vectors"))
    assert summary["reuse"]["hit_rate"] == hits / vectors
    assert (summary["images"], summary["image_size"], summary["model"]) == (2, 16, "custom-cnn")


def test_gradients_of_their_own(mercuric: Run) -> None:
    command = ("simulate", "custom-cnn", "--images", 1, "--image-size", 16, "--json", "--gradients", "own")
    figures = json.loads(mercuric(*command).stdout)
    assert figures["gradients"] == {"signatures": "needed", "layers": 4, "own": 4, "reloaded": 1}
    assert [layer["gradient"] for layer in figures["layers"]].count("reloaded") == 1


def test_inference_costs_less_than_training(mercuric: Run) -> None:
    command = ("simulate", "custom-cnn", "--images", 2, "--json")
    training, inference = (json.loads(mercuric(*command, *more).stdout) for more in ([], ["--inference"]))
    assert training["cycles"]["baseline"] > 2 * inference["cycles"]["baseline"]
    assert training["reuse"] == inference["reuse"]


def test_the_tables(mercuric: Run) -> None:
    result = mercuric("simulate", "custom-cnn", "--images", 2)
    assert result.exit_code == 0, result.output
    for words in ("features.0", "classifier.3", "paper", "fair", "baseline", "eyeriss-168"):
        assert words in result.stdout


def test_weights_change_the_hits(mercuric: Run, tmp_path: Path) -> None:
    command = ("simulate", "custom-cnn", "--images", 2, "--json")
    trained = mercuric(*command, "--weights", checkpoint(tmp_path / "w.safetensors"))
    same_seed = mercuric(*command, "--seed", 1)
    other = mercuric(*command, "--seed", 2)
    figures = [json.loads(result.stdout)["layers"] for result in (trained, same_seed, other)]
    assert figures[0] == figures[1] != figures[2]
