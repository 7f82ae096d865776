"""Is a run that was stopped from outside, by a signal or a full disk, as good as one that was not?"""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import CliRunner

from mercuric.cli.app import app

PROGRAM = (sys.executable, "-c", "from mercuric.cli import main; main()")
CONFIG = """
data: imagefolder
image_size: 16
runs: [dense, reuse]
training: {epochs: 5, batch_size: 4, optimizer: adamw, learning_rate: 0.001, checkpoint_every: 4}
"""
RUNS = ("dense", "reuse")
STEPS = 30


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, photo_folder: Path) -> Path:
    path = tmp_path_factory.mktemp("config") / "run.yaml"
    path.write_text(CONFIG + f"data_root: {photo_folder}\n")
    return path


def command(config: Path, out: Path, *options: str) -> list[str]:
    return ["train", "custom-cnn", "--config", str(config), "--out", str(out), *options]


def finish(config: Path, out: Path, *options: str) -> None:
    done = CliRunner().invoke(app, command(config, out, "--json", *options))
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == json.loads((out / "summary.json").read_text())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, config: Path) -> Path:
    """The folder of a run that nothing stopped."""
    out = tmp_path_factory.mktemp("whole") / "run"
    finish(config, out)
    return out


def steps_of(out: Path, run: str) -> int:
    path = out / "metrics.jsonl"
    text = path.read_text() if path.exists() else ""
    return text.count(f'"event": "step", "run": "{run}"')


def send(config: Path, out: Path, number: signal.Signals, run: str, steps: int) -> tuple[int, str]:
    """Start or resume the run, send it a signal once ``run`` has done ``steps``; its code and stderr."""
    process = subprocess.Popen(
        [*PROGRAM, *command(config, out, *(["--resume"] if out.exists() else []))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while steps_of(out, run) < steps and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(number)
    return process.wait(), process.stderr.read() if process.stderr else ""


def logged(out: Path) -> list[dict[str, Any]]:
    read = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in read]


def without_seconds(out: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return {**summary, "seconds": sorted(summary["seconds"])}


def shown(out: Path, run: str) -> list[tuple[int, float]]:
    accumulator = EventAccumulator(str(out / "events" / f"{run}-0"), size_guidance={"scalars": 0})
    accumulator.Reload()
    return [(event.step, event.value) for event in accumulator.Scalars("loss")]


def assert_same_end(whole: Path, out: Path) -> None:
    for run in RUNS:
        left, right = (load_file(folder / "checkpoints" / f"{run}-0.safetensors") for folder in (whole, out))
        assert left.keys() == right.keys()
        assert all(torch.equal(left[name], right[name]) for name in left)
        assert [step for step, _ in shown(out, run)] == list(range(1, STEPS + 1))
        assert shown(out, run) == shown(whole, run)
    assert logged(whole) == logged(out)
    steps = [(line["run"], line["step"]) for line in logged(out) if line["event"] == "step"]
    assert steps == [(run, step + 1) for run in RUNS for step in range(STEPS)]
    for name in ("config.yaml", "layers.csv"):
        assert (whole / name).read_bytes() == (out / name).read_bytes()
    assert without_seconds(whole) == without_seconds(out)


def test_kill_9_in_mid_epoch(whole: Path, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    for run, steps in (("dense", 5), ("reuse", 8)):
        code, stderr = send(config, out, signal.SIGKILL, run, steps)
        assert (code, stderr) == (-signal.SIGKILL, "")
        assert steps <= steps_of(out, run) < STEPS
        assert not (out / "summary.json").exists()
    finish(config, out, "--resume")
    assert_same_end(whole, out)


def test_ctrl_c_in_mid_epoch(whole: Path, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    code, stderr = send(config, out, signal.SIGINT, "reuse", 6)
    assert code == 130
    assert stderr == (
        "mercuric: stopped; what was saved is kept, and the same command with --resume goes on from it\n"
    )
    assert not (out / "summary.json").exists()
    assert (out / "checkpoints" / "dense-0.safetensors").exists()
    finish(config, out, "--resume")
    assert_same_end(whole, out)


def may_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(probe, capture_output=True).returncode == 0


FULL = """
mount -t tmpfs -o size=$1k none "$0" || exit 99
disk=$0; shift; "$@"; code=$?
cp -r "$disk/run" "$disk.kept"; exit $code
"""


@pytest.mark.skipif(not may_mount(), reason="no file system can be mounted here")
@pytest.mark.parametrize("kibibytes", [12, 12_000])
def test_a_disk_that_is_really_full(whole: Path, config: Path, tmp_path: Path, kibibytes: int) -> None:
    """Too small for the metrics; too small for the second checkpoint beside the first."""
    disk, out = tmp_path / "disk", tmp_path / "run"
    disk.mkdir()
    start = ["unshare", "-rm", "sh", "-c", FULL, str(disk), str(kibibytes)]
    start += [*PROGRAM, *command(config, disk / "run")]
    done = subprocess.run(start, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("mercuric: ")
    assert done.stderr.endswith("No space left on device; what was saved before is kept\n")
    assert done.stderr.count("\n") == 1
    shutil.move(f"{disk}.kept", out)
    assert not list(out.rglob("*.tmp"))
    finish(config, out, "--resume")
    assert_same_end(whole, out)
