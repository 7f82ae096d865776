"""Are a run's tables those that its files hold, whichever study wrote them?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mercuric as package
from mercuric import ArgumentError, MercuricError, load_run
from mercuric.studies.study import STUDIES

Run = Callable[..., Any]
MARKED = [study for study in STUDIES if study.mark is not None]


def filled(folder: Path, command: str, version: str = package.__version__, mark: str = "found.json") -> Path:
    """A folder with a command, a summary and one table."""
    (folder / mark).write_text(json.dumps({"machine": {"mercuric": version}, "config": {"seed": 3}}))
    (folder / "command.txt").write_text(f"{command}\n")
    pd.DataFrame({"layer": ["01", "2"], "cycles": [5, 7]}).to_csv(folder / "layers.csv", index=False)
    return folder


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_every_study_is_known_by_its_command(tmp_path: Path, study: Any) -> None:
    mark = study.mark if study.mark and study.mark.endswith(".json") else "found.json"
    loaded = load_run(filled(tmp_path, f"mercuric {study.name} vgg13", mark=mark))
    assert (loaded.study, loaded.version, loaded.config) == (study.name, package.__version__, {"seed": 3})
    assert loaded["layers"]["layer"].tolist() == ["01", "2"], "names of layers stay text"
    assert loaded["layers"]["cycles"].sum() == 12


@pytest.mark.parametrize("study", MARKED, ids=lambda study: study.name)
def test_every_study_is_known_by_its_mark(tmp_path: Path, study: Any) -> None:
    (tmp_path / study.mark).write_text('{"machine": {}}' if study.mark.endswith(".json") else "row\n1\n")
    assert load_run(tmp_path).study == study.name


def test_tables_of_every_kind(tmp_path: Path) -> None:
    filled(tmp_path, "mercuric sweep vgg13")
    pd.DataFrame({"rows": [1, 2]}).to_parquet(tmp_path / "sweep.parquet")
    (tmp_path / "metrics.jsonl").write_text('{"step": 0, "loss": 1.5}\n{"step": 1, "loss": 1.25}\n')
    (tmp_path / "hitmap-001.csv").write_text("0,1,1\n")
    loaded = load_run(str(tmp_path))
    assert list(loaded.tables) == ["layers", "metrics", "sweep"]
    assert loaded["metrics"]["loss"].tolist() == [1.5, 1.25]
    assert loaded["sweep"]["rows"].tolist() == [1, 2]
    shown = loaded._repr_html_()
    assert all(name in shown for name in ("mercuric sweep vgg13", "metrics", "step, loss"))
    assert "sweep (2 rows)" in repr(loaded)
    with pytest.raises(ArgumentError, match="table was 'layer', but must be one of layers, metrics, sweep"):
        loaded["layer"]


def test_another_version_is_said(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"was written by mercuric 0\.5\.0, and this is .*: columns may be"):
        assert load_run(filled(tmp_path, "mercuric bounds vgg13", version="0.5.0")).version == "0.5.0"


def test_what_is_no_runs_folder(tmp_path: Path) -> None:
    with pytest.raises(MercuricError, match="none is not a run's folder: no such directory"):
        load_run(tmp_path / "none")
    with pytest.raises(MercuricError, match=r"is not the folder of a finished run: it has none of summary"):
        load_run(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"), [("a.csv", ""), ("a.parquet", "x"), ("a.jsonl", "{"), ("found.json", "[]")]
)
def test_a_broken_file_is_named(tmp_path: Path, name: str, text: str) -> None:
    (filled(tmp_path, "mercuric bounds vgg13") / name).write_text(text)
    with pytest.raises(MercuricError, match=f"{name} is broken"):
        load_run(tmp_path)


def test_hitmaps(mercuric: Run, tmp_path: Path) -> None:
    assert mercuric("hitmap", "custom-cnn", "--images", 1, "--out", tmp_path / "h").exit_code == 0
    loaded = load_run(tmp_path / "h")
    assert (loaded.study, list(loaded.tables)) == ("hitmap", ["layers"])
