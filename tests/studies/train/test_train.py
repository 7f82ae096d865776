import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import Result

from mercuric import ReuseConfig
from mercuric.studies.train.config import RunConfig

Run = Callable[..., Result]
KEYS = (
    *("dense.accuracy", "reuse.accuracy", "reuse.hit_rate", "reuse.zero_rate"),
    *("cycles.baseline", "cycles.mercury", "cycles.signature", "speedup.paper", "speedup.fair"),
    *("seconds.dense", "seconds.reuse", "data", "model", "seeds"),
)


def at(summary: dict[str, Any], key: str) -> Any:
    found: Any = summary
    for part in key.split("."):
        found = found[part]
    return found


def test_a_comparison_prints_json_alone(mercuric: Run, tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = mercuric(
        "train", "custom-cnn", "--compare", "--seeds", "3,1", "--batch-size", 8, "--json", "--out", out
    )
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert all(at(summary, key) is not None for key in KEYS)
    assert (summary["model"], summary["data"], summary["seeds"]) == ("custom-cnn", "photos", [3, 1])
    assert summary == json.loads((out / "summary.json").read_text())
    cycles, speedup = summary["cycles"], summary["speedup"]
    for timing in ("paper", "fair"):
        assert speedup[timing] == cycles[timing]["baseline"] / cycles[timing]["mercury"]
    files = {path.name for path in out.iterdir()}
    assert files == {"config.yaml", "resolved.json", "metrics.jsonl", "layers.csv", "adaptation.csv",
                     "summary.json", "checkpoints", "events", "report.html", "command.txt"}  # fmt: skip
    command = "mercuric train custom-cnn --compare --batch-size 8 --seeds 3,1"
    assert (out / "command.txt").read_text() == f"{command}\n"
    assert {path.name for path in (out / "checkpoints").iterdir()} == {
        f"{run}-{seed}.safetensors" for run in ("dense", "reuse") for seed in (1, 3)
    }
    assert "custom-cnn" in (out / "report.html").read_text(encoding="utf-8")
    _tensorboard_shows_the_metrics(out)


def _tensorboard_shows_the_metrics(out: Path) -> None:
    logged = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    for run in ("dense", "reuse"):
        for seed in (1, 3):
            accumulator = EventAccumulator(str(out / "events" / f"{run}-{seed}"))
            accumulator.Reload()
            shown = [(event.step, event.value) for event in accumulator.Scalars("loss")]
            lines = [line for line in logged if (line["run"], line["seed"]) == (run, seed)]
            losses = [(line["step"], line["loss"]) for line in lines if line["event"] == "step"]
            assert [step for step, _ in losses] == [1, 2, 3]
            assert shown == [(step, pytest.approx(loss)) for step, loss in losses]


def test_a_saved_configuration_gives_the_same_run(mercuric: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    config = tmp_path / "run.yaml"
    config.write_text("{seeds: [2], training: {batch_size: 12, optimizer: adamw}, reuse: {bits: 8}}")
    assert mercuric("train", "custom-cnn", "--config", config, "--out", first).exit_code == 0
    saved = first / "config.yaml"
    assert RunConfig.read(saved).reuse.bits == 8
    assert mercuric("train", "custom-cnn", "--config", saved, "--out", second).exit_code == 0
    for name in ("config.yaml", "layers.csv"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    left, right = (load_file(folder / "checkpoints" / "reuse-2.safetensors") for folder in (first, second))
    assert all(torch.equal(left[name], right[name]) for name in left | right)


def test_fast_trains_in_directions(mercuric: Run, refused: Callable[..., str], tmp_path: Path) -> None:
    options = ("--fast", "--rank", "0.5", "--batch-size", 8, "--out", tmp_path / "run")
    result = mercuric("train", "custom-cnn", "--compare", *options)
    assert result.exit_code == 0, result.output
    assert "none: no vectors compared" in result.stdout and "50.0 % of its filters" in result.stdout
    saved = RunConfig.read(tmp_path / "run" / "config.yaml")
    assert saved.reuse == ReuseConfig.fast(0.5)
    alone = refused(mercuric("train", "custom-cnn", "--rank", "0.5", "--out", tmp_path / "other"))
    assert "rank was '0.5', but must be given with --fast" in alone
    several = refused(
        mercuric("train", "custom-cnn", "--fast", "--rank", "8,16", "--out", tmp_path / "other")
    )
    assert "rank was '8,16', but must be 1 number" in several


def test_options_win_over_the_configuration(mercuric: Run, tmp_path: Path) -> None:
    config, out = tmp_path / "run.yaml", tmp_path / "run"
    config.write_text("{seeds: [2], training: {batch_size: 6, epochs: 1, optimizer: adamw}}")
    result = mercuric(
        "train", "custom-cnn", "--config", config, "--batch-size", 12, "--seeds", 5, "--out", out
    )
    assert result.exit_code == 0, result.output
    written = RunConfig.read(out / "config.yaml")
    assert (written.seeds, written.training.batch_size, written.training.optimizer) == ((5,), 12, "adamw")


def test_tables_and_the_report_s_place(
    mercuric: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = mercuric("train", "custom-cnn", "--batch-size", 12)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    for words in ("test accuracy", "hit rate", "features.0", "classifier.3"):
        assert words in result.stdout
    assert result.stdout.endswith("Report: runs/custom-cnn-photos/report.html\n")
    again = mercuric("train", "custom-cnn", "--resume")
    assert again.exit_code == 0, again.output


def test_a_dense_run_alone(mercuric: Run, tmp_path: Path) -> None:
    config, out = tmp_path / "run.yaml", tmp_path / "run"
    config.write_text("runs: [dense]")
    command = ("train", "custom-cnn", "--config", config, "--batch-size", 12, "--out", out)
    result = mercuric(*command)
    assert result.exit_code == 0, result.output
    assert "test accuracy" in result.stdout
    assert not (out / "layers.csv").exists()


def test_a_narrow_network_on_few_examples(mercuric: Run, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = ("--width", 0.5, "--train-examples", 12, "--batch-size", 6)
    result = mercuric("train", "custom-cnn", *options, "--json", "--out", out)
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert (summary["width"], summary["train_images"], summary["train_images_available"]) == (0.5, 12, 24)
    written = RunConfig.read(out / "config.yaml")
    assert (written.width, written.train_examples) == (0.5, 12)
    assert "12 (drawn once for all runs) of 24 training images" in (out / "report.html").read_text("utf-8")
    assert load_file(out / "checkpoints" / "reuse-0.safetensors")["model.features.0.weight"].shape[0] == 16
    again = mercuric("train", "custom-cnn", "--resume", "--train-examples", 13, "--out", out)
    assert "holds another run: train_examples was 12, now 13" in again.stderr


def test_a_finished_run_gets_more_epochs_and_seeds(mercuric: Run, tmp_path: Path) -> None:
    out, config = tmp_path / "run", tmp_path / "more.yaml"
    assert mercuric("train", "custom-cnn", "--batch-size", 12, "--out", out).exit_code == 0
    first = (out / "checkpoints" / "reuse-0.safetensors").read_bytes()
    more = mercuric("train", "custom-cnn", "--resume", "--seeds", "0,1", "--out", out, "--json")
    assert more.exit_code == 0, more.output
    assert json.loads(more.stdout)["seeds"] == [0, 1]
    assert (out / "checkpoints" / "reuse-0.safetensors").read_bytes() == first
    longer = mercuric("train", "custom-cnn", "--resume", "--epochs", 2, "--out", out, "--json")
    assert longer.exit_code == 0, longer.output
    assert json.loads(longer.stdout)["steps"] == 4
    config.write_text("{seeds: [0, 1], training: {batch_size: 12, epochs: 2, checkpoint_every: 1}}")
    again = mercuric("train", "custom-cnn", "--resume", "--config", config, "--out", out, "--json")
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["reuse"]["accuracies"] == json.loads(longer.stdout)["reuse"]["accuracies"]
    fewer = mercuric("train", "custom-cnn", "--resume", "--epochs", 1, "--out", out)
    assert fewer.exit_code == 2
    assert "holds 4 steps, but 1 epochs have 2; give more epochs" in fewer.stderr
