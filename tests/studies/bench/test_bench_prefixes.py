"""``mercuric bench prefixes`` as a user runs it, on models that take no time."""

import json
import sys
from collections.abc import Callable
from functools import partialmethod
from pathlib import Path

import pandas as pd
import pytest
from torch import nn
from torch._dynamo.testing import EagerAndRecordGraphs
from typer.testing import Result

from mercuric.studies.bench.prefixes import CASES, Case

pytest.importorskip("transformers", reason="language models are those of transformers")

Run = Callable[..., Result]
Refused = Callable[..., str]
QUICK = ("bench", "prefixes", "--quick", "--rounds", 1)


def test_prefixes_as_json(mercuric: Run) -> None:
    result = mercuric(*QUICK, "--no-trl", "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    rows = figures["prefixes"]
    assert {(row["network"], row["loss"]) for row in rows} == {
        (network, loss) for network in ("llama", "gpt2") for loss in ("labels", "logits")
    }
    assert {row["case"]: (row["tokens"], row["distinct"], row["limit"]) for row in rows} == {
        "2 completions, 12 + 4": (32, 20, 1.6), "nothing shared, 12 + 4": (32, 32, 1.0),
    }  # fmt: skip
    assert all(row["loss_difference"] < 1e-6 and row["gradient_difference"] < 1e-5 for row in rows)
    assert all(row["ms"] > 0 and row["speedup"] > 0 for row in rows)


def test_steps_of_trl_as_tables_and_files(mercuric: Run, tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="its trainers are timed")
    result = mercuric(*QUICK, "--network", "llama", "--clock", "cpu", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "whole steps of TRL's trainers" in result.stdout and "Tree Training" in result.stdout
    steps = pd.read_csv(tmp_path / "prefixes-steps.csv")
    assert steps["case"].tolist() == ["GRPOTrainer, 2 of 12 + 4", "DPOTrainer, 2 of 12 + 4"]
    assert (steps["distinct"] < steps["tokens"]).all()
    assert "| llama | GRPOTrainer, 2 of 12 + 4 |" in (tmp_path / "prefixes-steps.md").read_text()


def test_compiled_steps_in_bfloat16(mercuric: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trl", reason="its trainers are timed")
    recorder = EagerAndRecordGraphs()  # type: ignore[no-untyped-call]
    graphs = recorder.graphs
    monkeypatch.setattr(nn.Module, "compile", partialmethod(nn.Module.compile, backend=recorder))
    options = ("--network", "gpt2", "--compile", "--dtype", "bfloat16")
    assert mercuric(*QUICK, "--no-trl", *options).exit_code == 0
    of_batches = len(graphs)
    result = mercuric(*QUICK, *options, "--json")
    assert result.exit_code == 0, result.output
    assert of_batches >= 4 and len(graphs) >= 2 * of_batches + 2
    assert all("bfloat16" in str(graph.code) for graph in graphs if "linear" in str(graph.code))
    figures = json.loads(result.stdout)
    assert {row["dense_form"] for part in ("prefixes", "steps") for row in figures[part]} <= {
        "dense", "dense, compiled",
    }  # fmt: skip


def test_without_trl(mercuric: Run, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trl", None)
    said = refused(mercuric(*QUICK))
    assert "steps of TRL's trainers need trl: pip install trl, or add --no-trl" in said


def test_without_transformers(mercuric: Run, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert "bench prefixes needs transformers, which is not installed" in refused(
        mercuric(*QUICK, "--no-trl")
    )


@pytest.mark.parametrize(
    ("case", "limit"), list(zip(CASES, (4.5, 4.5, 1.667, 6.095, 1.0), strict=True)), ids=str
)
def test_limits_of_the_cases(case: Case, limit: float) -> None:
    sequences = case.sequences()
    seen = {tuple(row[: place + 1]) for row in sequences.tolist() for place in range(len(row))}
    assert sequences.numel() / len(seen) == pytest.approx(limit, abs=1e-3)
