"""Do two processes train one network as one process does?"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from mercuric.training.ranks import backward, joined, own_folder, rank, share

LINE = (
    "train", "custom-cnn", "--data", "random:3x16x16", "--train-examples", "12", "--width", "0.25",
    "--batch-size", "5", "--compare",
)  # fmt: skip
TWO = (
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--nproc-per-node",
    "2",
    "-m",
    "mercuric",
)
ONE = (sys.executable, "-m", "mercuric")


def train(by: tuple[str, ...], folder: Path, *more: str) -> dict[str, Any]:
    line = [*by, *LINE, "--out", str(folder), "--json", *more]
    ended = subprocess.run(line, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    summary: dict[str, Any] = json.loads(ended.stdout)
    return summary


def weights(folder: Path) -> dict[str, Tensor]:
    saved = load_file(folder / "checkpoints" / "dense-0.safetensors")
    return {name: tensor for name, tensor in saved.items() if name.startswith("model.")}


def losses(folder: Path) -> list[float]:
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [line["loss"] for line in lines if line["event"] == "step" and line["run"] == "dense"]


def test_two_processes_train_as_one_does_and_go_on(tmp_path: Path) -> None:
    """Batches of 5: the ranks' shares are of 3 and of 2 examples."""
    alone, both = tmp_path / "alone", tmp_path / "both"
    one = train(ONE, alone, "--epochs", "2")
    train(TWO, both, "--epochs", "1")
    two = train(TWO, both, "--epochs", "2", "--resume")
    assert two["dense"]["accuracy"] == pytest.approx(one["dense"]["accuracy"])
    assert two["machine"]["ranks"] == 2 and "ranks" not in one["machine"]
    assert losses(both) == pytest.approx(losses(alone), rel=1e-4) and len(losses(both)) == 4
    ours, theirs = weights(both), weights(alone)
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-3, atol=1e-5)
    assert (both / "report.html").exists() and not (both / ".mercuric.lock").exists()


def test_more_processes_than_examples_of_a_batch_are_refused(tmp_path: Path) -> None:
    line = [*TWO, *LINE[:-3], "--batch-size", "1", "--out", str(tmp_path / "run")]
    ended = subprocess.run(line, capture_output=True, text=True)
    assert ended.returncode != 0
    assert "batch_size was 1, but must be at least the 2 processes" in ended.stderr


def test_alone_nothing_is_shared(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    with joined() as place, own_folder(tmp_path) as folder:
        assert place == rank() == 0 and folder == tmp_path
        assert share(torch.arange(3)).tolist() == [0, 1, 2]
        loss = model(torch.ones(1, 2)).sum()
        assert backward(model, loss, lambda: pytest.fail("asked")) == float(loss)
    assert model.weight.grad is not None and model.weight.grad.tolist() == [[1.0, 1.0]]
