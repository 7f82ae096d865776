import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import Result

import mercuric as package
from mercuric import data

Run = Callable[..., Result]
Refused = Callable[..., str]


def test_version(mercuric: Run) -> None:
    result = mercuric("--version")
    assert (result.exit_code, result.stdout) == (0, f"mercuric {package.__version__}\n")


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_names_every_command(mercuric: Run, arguments: list[str]) -> None:
    output = mercuric(*arguments).output
    assert all(name in output for name in ("Usage", "train", "simulate", "report", "data"))


def test_data_list(mercuric: Run, tmp_path: Path) -> None:
    result = mercuric("data", "list", "--root", tmp_path)
    assert result.exit_code == 0
    assert "photos" in result.stdout
    listed = json.loads(mercuric("data", "list", "--json", "--data-root", tmp_path).stdout)
    assert [row["name"] for row in listed] == list(data.names())
    shipped = ["photos", "text-pages", *(["atari"] if find_spec("ale_py") else []), "random"]
    assert [row["name"] for row in listed if row["present"]] == shipped


def test_data_fetch(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    assert "nothing to fetch" in mercuric("data", "fetch", "photos").stdout
    assert "name was 'mnist', but it must be one of photos" in refused(mercuric("data", "fetch", "mnist"))
    sentence = refused(mercuric("data", "fetch", "imagefolder", "--root", tmp_path))
    assert "cannot be fetched: lay them out as" in sentence


def test_data_fetch_without_apt(
    mercuric: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sentence = refused(mercuric("data", "fetch", "fashion-mnist", "--data-root", tmp_path))
    assert "apt-get and dpkg-deb not found" in sentence


def test_a_report_of_no_run(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    missing = tmp_path / "none"
    assert f"{missing} is not a run's folder" in refused(mercuric("report", missing))
    assert "it has none of summary.json, " in refused(mercuric("report", tmp_path))


def test_a_report_is_written_again(mercuric: Run, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert mercuric("train", "custom-cnn", "--batch-size", 24, "--out", out).exit_code == 0
    page = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    assert mercuric("report", out).stdout == f"Report: {out / 'report.html'}\n"
    assert (out / "report.html").read_bytes() == page
