import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from typer.testing import Result

from mercuric import zoo
from mercuric.training import load_weights

Run = Callable[..., Result]
Refused = Callable[..., str]


def written(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def finished(mercuric: Run, tmp_path: Path) -> Path:
    """A folder that holds a finished run."""
    folder = tmp_path / "finished"
    assert mercuric("train", "custom-cnn", "--batch-size", 12, "--out", folder).exit_code == 0
    return folder


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--data", "mnist"], "data was 'mnist', but must be one of photos, text-pages"),
        (["--seeds", "0,x"], "seeds was '0,x', but must be whole numbers with commas between"),
        (["--seeds", ""], "seeds was ''"),
        (["--seeds", "0,1,0"], "seeds was [0, 1, 0], but must name at least one, and each once"),
        (["--seeds", "-1"], "seeds.0 was -1, but must be greater than or equal to 0"),
        (["--seeds", "99999999999999999999"], "seeds.0 was 99999999999999999999, but must be less than"),
        (["--batch-size", "25"], "batch_size was 25, but must be at most the 24 training examples"),
        (["--batch-size", "0"], "batch_size was 0, but must be greater than or equal to 1"),
        (["--epochs", "0"], "epochs was 0, but must be greater than or equal to 1"),
        (["--config", "/no/such.yaml"], "the configuration /no/such.yaml can't be read"),
    ],
)
def test_a_wrong_option(
    mercuric: Run, refused: Refused, tmp_path: Path, options: list[str], sentence: str
) -> None:
    assert sentence in refused(mercuric("train", "custom-cnn", *options, "--out", tmp_path / "run"))
    assert not list(tmp_path.iterdir())


def test_an_unknown_network(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    sentence = refused(mercuric("train", "custom-rnn", "--out", tmp_path / "run"))
    assert "model was 'custom-rnn', but must be one of alexnet, custom-cnn, " in sentence
    assert ", transformer, vgg13, " in sentence
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sedes: [0]", "RunConfig has no key 'sedes' (it has: data, data_root, "),
        ("training: {learning_rat: 1}", "TrainingConfig has no key 'learning_rat'"),
        ("training: {1: 2}", "TrainingConfig has no key '1'"),
        ("training: {learning_rate: -0.1}", "learning_rate was -0.1, but must be greater than 0"),
        ("training: {learning_rate: .inf}", "learning_rate was inf, but must be a finite number"),
        ("training: {optimizer: adam}", "optimizer was 'adam', but must be 'sgd' or 'adamw'"),
        ("training: 5", "training was 5, but must be a valid dictionary"),
        ("reuse: {bits: 0}", "bits was 0, but must be greater than or equal to 1"),
        ("reuse: {bits: 129}", "bits was 129, but must be less than or equal to 128"),
        ("reuse: {granularity: row}", "granularity was 'row', but must be"),
        (
            "{training: {batch_size: 9}, reuse: {granularity: 2}}",
            "granularity was 2, but it must divide the 3 channels",
        ),
        ("reuse: {entries: 10, ways: 3}", "entries was 10, but must be a positive multiple of ways (3)"),
        ("accelerator: tpu", "accelerator was 'tpu', but must be one of 'broadcast-168'"),
        ("image_size: 8", "image_size was 8, but custom-cnn needs images of at least 16 pixels a side"),
        ("runs: []", "runs was [], but must name at least one"),
        ("data: imagefolder", "imagefolder needs the folder that holds train/CLASS"),
        ("width: 0", "width was 0, but must be greater than 0"),
        ("train_examples: 25", "train_examples was 25, but must be from 1 to the 24 there are"),
        ("{train_examples: 12}", "batch_size was 64, but must be at most the 12 training examples"),
        ("training: {clip_norm: 0}", "clip_norm was 0, but must be greater than 0"),
        ("training: {epochs: [", "run.yaml is not valid YAML: while parsing"),
        ("- 1", "run.yaml was a list, but must be a YAML mapping"),
    ],
)
def test_a_wrong_configuration(
    mercuric: Run, refused: Refused, tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    out = tmp_path / "run"
    assert sentence in refused(mercuric("train", "custom-cnn", "--config", path, "--out", out))
    assert not out.exists()


def test_an_option_over_a_configuration_that_is_wrong_there(
    mercuric: Run, refused: Refused, tmp_path: Path
) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("training: 5")
    arguments = ("train", "custom-cnn", "--config", path, "--epochs", 1, "--out", tmp_path / "run")
    assert "training was 5, but must be a valid dictionary" in refused(mercuric(*arguments))


def test_missing_data(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ("train", "custom-cnn", "--data", "fashion-mnist", "--data-root", tmp_path, "--out", out)
    sentence = refused(mercuric(*arguments))
    assert "train-images-idx3-ubyte is missing" in sentence
    assert "run `mercuric data fetch fashion-mnist`" in sentence
    assert not out.exists()


def test_a_truncated_data_file(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + bytes(1000))
    arguments = ("train", "custom-cnn", "--data", "fashion-mnist", "--data-root", tmp_path)
    sentence = refused(mercuric(*arguments, "--out", tmp_path / "run"))
    assert "train-images-idx3-ubyte had 1,004 bytes, but it must have 47,040,016" in sentence


def test_a_truncated_image(mercuric: Run, refused: Refused, tmp_path: Path, photo_folder: Path) -> None:
    image = next(photo_folder.glob("train/*/*.png"))
    whole = image.read_bytes()
    config = tmp_path / "run.yaml"
    config.write_text("{image_size: 16, training: {batch_size: 24}}")
    options = ("--data", "imagefolder", "--data-root", photo_folder, "--config", config)
    try:
        image.write_bytes(whole[: len(whole) // 2])
        sentence = refused(mercuric("train", "custom-cnn", *options, "--out", tmp_path / "run"))
    finally:
        image.write_bytes(whole)
    assert f"1 image of {photo_folder} can't be read ({image.relative_to(photo_folder)}: " in sentence


def test_a_folder_that_holds_a_run(mercuric: Run, refused: Refused, finished: Path) -> None:
    before = written(finished)
    sentence = refused(mercuric("train", "custom-cnn", "--batch-size", 12, "--out", finished))
    assert f"{finished} holds a run already; add --resume to go on, or choose another --out" in sentence
    assert written(finished) == before


def test_resuming_with_another_configuration(
    mercuric: Run, refused: Refused, finished: Path, tmp_path: Path
) -> None:
    before = written(finished)
    sentence = refused(mercuric("train", "custom-cnn", "--width", 0.5, "--resume", "--out", finished))
    assert sentence.endswith("holds another run: width was 1.0, now 0.5\n")
    config = tmp_path / "other.yaml"
    config.write_text("{seeds: [1], training: {batch_size: 12}}")
    sentence = refused(mercuric("train", "custom-cnn", "--config", config, "--resume", "--out", finished))
    assert sentence.endswith("seeds was (0,), now (1,); seeds can be added, but not left out\n")
    assert written(finished) == before


@pytest.mark.parametrize("content", ["model: [", "[]", "training: {epoch: 1}"])
def test_resuming_where_the_saved_configuration_is_broken(
    mercuric: Run, refused: Refused, finished: Path, content: str
) -> None:
    (finished / "config.yaml").write_text(content)
    before = written(finished)
    refused(mercuric("train", "custom-cnn", "--resume", "--out", finished))
    assert written(finished) == before


@pytest.mark.parametrize("kept", [0, 50, -1])
def test_a_broken_checkpoint(mercuric: Run, refused: Refused, finished: Path, kept: int) -> None:
    checkpoint = finished / "checkpoints" / "reuse-0.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:kept])
    before = written(finished)
    sentence = refused(mercuric("train", "custom-cnn", "--resume", "--out", finished))
    assert f"the checkpoint {checkpoint} is broken" in sentence
    assert written(finished) == before


def test_a_file_in_the_folders_place(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.write_text("mine")
    sentence = refused(mercuric("train", "custom-cnn", "--batch-size", 12, "--out", out))
    assert f"{out}: File exists, and is no folder" in sentence
    assert out.read_text() == "mine"


def test_a_loss_that_is_no_number(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    config, out = tmp_path / "run.yaml", tmp_path / "run"
    training = {"learning_rate": 1e30, "batch_size": 4, "checkpoint_every": 1, "schedule": "constant"}
    config.write_text(yaml.safe_dump({"training": training}))
    sentence = refused(mercuric("train", "custom-cnn", "--config", config, "--out", out), code=1)
    assert "the loss of the reuse run with seed 0 became nan at step" in sentence
    assert "try a learning_rate under 1e+30" in sentence
    load_weights(out / "checkpoints" / "reuse-0.safetensors", zoo.build("custom-cnn", 7, 3, 16))
    assert (out / "metrics.jsonl").read_text()


@pytest.mark.parametrize("fails_after", [0, 1, 2, 3, 4])
def test_a_full_disk(
    mercuric: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_after: int
) -> None:
    """In the order resolved, config, checkpoints, layers.csv, adaptation.csv and summary.json."""
    out, synced = tmp_path / "run", []
    command = ("train", "custom-cnn", "--batch-size", 12, "--out", out)
    fsync = os.fsync

    def fill(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return
        if len(synced) == fails_after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        synced.append(descriptor)
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fill)
        sentence = refused(mercuric(*command), code=1)
    assert f"{out}" in sentence
    assert sentence.endswith("No space left on device; what was saved before is kept\n")
    kept = written(out)
    assert len([name for name in kept if "events" not in name and "metrics" not in name]) == fails_after
    done = mercuric(*command, "--resume", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["seeds"] == [0]
    checkpoint = str(out / "checkpoints" / "reuse-0.safetensors")
    assert kept.get(checkpoint) in (None, (out / "checkpoints" / "reuse-0.safetensors").read_bytes())


def test_ctrl_c(mercuric: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.SGD, "step", stop)
        sentence = refused(
            mercuric("train", "custom-cnn", "--out", tmp_path / "run", "--batch-size", 12), 130
        )
    assert "the same command with --resume goes on" in sentence
