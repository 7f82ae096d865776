"""Does ``mercuric accuracy`` train the rows that were asked for?"""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mercuric.cli.app import app
from mercuric.studies.accuracy import rows as accuracy_rows
from mercuric.studies.train.config import RunConfig
from mercuric.training import TrainingConfig


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    small = RunConfig(
        model="custom-cnn", width=0.25, runs=("dense", "reuse"), train_examples=32, image_size=16,
        training=TrainingConfig(batch_size=16),
    )  # fmt: skip
    monkeypatch.setattr(accuracy_rows, "MAIN", {"one": small, "other": small})
    monkeypatch.setattr(accuracy_rows, "OTHERS", {})


def test_a_row(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["accuracy", "one", "--out", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)
    assert row["row"] == "one"
    assert row["gap"] == pytest.approx(100 * (row["dense"] - row["reuse"]))
    assert (tmp_path / "accuracy.md").read_text().count("\n") == 3
    assert not (tmp_path / "other").exists()
    table = (tmp_path / "accuracy.md").read_text()
    (tmp_path / "accuracy.md").unlink()
    assert (
        CliRunner().invoke(app, ["report", str(tmp_path)]).stdout == f"Report: {tmp_path / 'accuracy.md'}\n"
    )
    assert (tmp_path / "accuracy.md").read_text() == table
    again = CliRunner().invoke(app, ["accuracy", "one", "--out", str(tmp_path), "--resume"])
    assert again.exit_code == 0
    assert "one" in again.stdout


def test_all_rows_shorter(tmp_path: Path) -> None:
    given = ["--seeds", "4", "--epochs", "1", "--train-examples", "16", "--out", str(tmp_path), "--json"]
    result = CliRunner().invoke(app, ["accuracy", *given])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [(row["seeds"], row["epochs"], row["examples"]) for row in rows] == [(1, 1, 16)] * 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["both"], "row was 'both', but must be others or one of one, other"),
        (["one", "one"], "row was one, one, but must name each once: one is there twice"),
        (["one", "--jobs", "0"], "jobs was 0, but"),
    ],
)
def test_mistakes(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["accuracy", *arguments, "--out", str(tmp_path / "new")])
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())
