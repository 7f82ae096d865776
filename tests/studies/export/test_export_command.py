"""``mercuric export``: a folder that is there whole or not at all, and one sentence for what is wrong."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from mercuric.accelerator.engines import second_opinion

Run = Callable[..., Result]
Refused = Callable[..., str]
SHAPES = """
from torch import nn

class Picks(nn.Module):
    def __init__(self):
        super().__init__()
        self.score = nn.Linear(12, 4)

    def forward(self, x):
        return self.score(x[(x > 0).any(1)])
"""


def manifest(folder: Path) -> list[dict[str, Any]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_with_everything(mercuric: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = mercuric("export", "custom-cnn", "--to", "timeloop", "--out", out, "--reuse", "--json")
    assert result.exit_code == 0, result.output
    told, rows = json.loads(result.stdout), manifest(out)
    assert told["left_out"] == [] and told["to"] == "timeloop" and told["images"] == 1
    assert {row["pass"] for row in rows} == {"forward", "dO", "dW"}
    assert {row["part"] for row in rows} == {"dense", "remaining", "signature"}
    assert all((out / row["file"]).exists() for row in rows)
    for file in told["files"]:
        of_file = [row for row in rows if f"{row['part']}-{row['pass']}" == file["file"]]
        assert sum(int(row["macs"]) for row in of_file) == file["macs"]
        assert file["mercuric_cycles"] > 0
    assert any(int(row["rows"]) < int(row["vectors"]) for row in rows)
    assert "mercuric export custom-cnn --to timeloop --reuse" in (out / "README.md").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_simulator_runs_beside_ours(mercuric: Run, tmp_path: Path) -> None:
    pytest.importorskip("scalesim")
    out = tmp_path / "out"
    result = mercuric("export", "custom-cnn", "--to", "scalesim", "--out", out, "--engine", "--json")
    files = {row["file"]: row for row in json.loads(result.stdout)["files"]}
    for name in ("dense-forward", "dense-dW"):
        assert files[name]["tool_cycles"] == files[name]["mercuric_cycles"]
    assert list(files) == ["dense-forward", "dense-dO", "dense-dW"]
    shown = mercuric("export", "custom-cnn", "--to", "scalesim", "--out", tmp_path / "more", "--engine")
    assert "cycles, SCALE-Sim 3.0.0" in shown.stdout and "1.00x" in shown.stdout


def test_saved_hitmaps_need_no_network(mercuric: Run, tmp_path: Path) -> None:
    saved, out = tmp_path / "h.parquet", tmp_path / "out"
    of_array = ("--accelerator", "weight-168")
    ran = mercuric("simulate", "custom-cnn", "--images", 2, "--save-hitmaps", saved, *of_array)
    assert ran.exit_code == 0, ran.output
    result = mercuric("export", "custom-cnn", "--to", "stonne", "--hitmaps", saved, "--out", out)
    assert result.exit_code == 0, result.output
    alike = mercuric("export", "custom-cnn", "--to", "stonne", "--images", 2, "--out", tmp_path / "d")
    assert alike.exit_code == 0, alike.output
    totals = [
        sum(int(row["macs"]) for row in manifest(folder) if row["part"] == "dense")
        for folder in (out, tmp_path / "d")
    ]
    assert totals[0] == totals[1]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["custom-cnn", "--to", "gem5"], "to was 'gem5', but must be one of scalesim, zigzag, accelforge"),
        (
            ["custom-cnn", "--to", "stonne", "--engine"],
            "stonne can't be run from here, only scalesim, zigzag",
        ),
        (["--to", "zigzag"], "model was not given, but a network or --hitmaps must be"),
        (
            ["vgg13", "--to", "zigzag", "--hitmaps", "h", "--images", 2],
            "images was given, but no network runs",
        ),
        (["custom-cnn", "--to", "scalesim", "--accelerator", "eyeriss-168"], "for SCALE-Sim"),
        (["custom-cnn", "--to", "zigzag", "--images", 25], "images was 25, but must be from 1 to the 24"),
    ],
)
def test_a_wrong_option(
    mercuric: Run, refused: Refused, tmp_path: Path, options: list[object], sentence: str
) -> None:
    assert sentence in refused(mercuric("export", *options, "--out", tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_a_simulator_that_is_not_installed(
    mercuric: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_opinion, "find_spec", lambda _: None)
    command = ("export", "custom-cnn", "--to", "zigzag", "--engine", "--out", tmp_path / "out")
    assert "engine was 'zigzag', which is not installed" in refused(mercuric(*command))


def test_shapes_that_depend_on_values(
    mercuric: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("picks.py").write_text(SHAPES)
    command = ("export", "picks.py:Picks", "--data", "random:12", "--to", "accelforge", "--images", 4)
    assert "whose products' shapes depend on the values read" in refused(mercuric(*command, "--out", "out"))
    assert not Path("out").exists()


def test_a_folder_is_not_written_over(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    command = ("export", "custom-cnn", "--to", "accelforge", "--out", tmp_path / "out")
    assert mercuric(*command).exit_code == 0
    assert "is there already; remove it or name another folder" in refused(mercuric(*command))
