"""Do two processes train one network as one process does?"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.studies.train.config import RunConfig
from mercuric.studies.train.study import compare
from mercuric.training import TrainingConfig
from mercuric.training import ranks as together
from mercuric.training.ranks import backward, joined, own_folder, rank, share

CONFIG = RunConfig(
    model="custom-cnn", data="random:3x16x16", train_examples=12, width=0.25, runs=("dense",),
    training=TrainingConfig(batch_size=5, epochs=1),
)  # fmt: skip
LONGER = CONFIG.changed(training=TrainingConfig(batch_size=5, epochs=2))
TORCHRUN = (
    sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "mercuric"
)  # fmt: skip


def train(folder: Path, config: RunConfig, *more: str) -> "subprocess.CompletedProcess[str]":
    """By two processes."""
    written = folder.parent / "config.yaml"
    written.write_text(config.to_yaml())
    line = [*TORCHRUN, "train", config.model, "--config", str(written), "--out", str(folder), "--json", *more]
    return subprocess.run(line, capture_output=True, text=True)


def weights(folder: Path) -> dict[str, Tensor]:
    saved = load_file(folder / "checkpoints" / "dense-0.safetensors")
    return {name: tensor for name, tensor in saved.items() if name.startswith("model.")}


def losses(folder: Path) -> list[float]:
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [line["loss"] for line in lines if line["event"] == "step" and line["run"] == "dense"]


def test_two_processes_train_as_one_does_and_go_on(tmp_path: Path) -> None:
    """Batches of 5: the ranks' shares are of 3 and of 2 examples."""
    alone, both = tmp_path / "alone", tmp_path / "both"
    compare(CONFIG, alone)
    one = compare(LONGER, alone, resume=True)
    first = train(both, CONFIG)
    assert first.returncode == 0, first.stderr
    second = train(both, LONGER, "--resume")
    assert second.returncode == 0, second.stderr
    two = json.loads(second.stdout)
    assert two["dense"]["accuracy"] == pytest.approx(one["dense"]["accuracy"])
    assert two["machine"]["ranks"] == 2 and "ranks" not in one["machine"]
    assert losses(both) == pytest.approx(losses(alone), rel=1e-5) and len(losses(both)) == 4
    ours, theirs = weights(both), weights(alone)
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-3, atol=1e-6)
    assert (both / "report.html").exists() and not (both / ".mercuric.lock").exists()


def test_more_processes_than_examples_of_a_batch_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "ranks", lambda: 2)
    with pytest.raises(ArgumentError, match="batch_size was 1, but must be at least the 2 processes"):
        together.require_shares(1)


def test_alone_nothing_is_shared(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    with joined() as place, own_folder(tmp_path) as folder:
        assert place == rank() == 0 and folder == tmp_path
        assert share(torch.arange(3)).tolist() == [0, 1, 2]
        loss = model(torch.ones(1, 2)).sum()
        assert backward(model, loss, lambda: pytest.fail("asked")) == loss.item()
    assert model.weight.grad is not None and model.weight.grad.tolist() == [[1.0, 1.0]]
