"""What happens when a study fails, is stopped, or is another's?"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mercuric.cli.app import make_app
from mercuric.studies.reproduce import runs, study
from mercuric.studies.reproduce.runs import Run, all_runs

GOOD = "evaluate alexnet --batch 1,16 --image-size 64 --dense --inference"
BAD = "hitmap no-such-network --images 1"


@pytest.fixture
def reproduce(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command with a run that ends well and one that fails."""

    def invoke(hitmaps: str, *arguments: object) -> Result:
        changed: Mapping[str, Run] = {**all_runs(), "arrays": Run(full=GOOD), "hitmaps": Run(full=hitmaps)}
        monkeypatch.setattr(runs, "all_runs", lambda: changed)
        monkeypatch.setattr(study, "all_runs", lambda: changed)
        return CliRunner().invoke(make_app(), ["reproduce", *map(str, arguments)])

    return invoke


CLAIMS = "mapping_ablation", "scale_sim_hits"


def test_a_study_that_fails_takes_nothing_from_the_others(
    reproduce: Callable[..., Result], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    result = reproduce(BAD, *CLAIMS, "--out", folder)
    assert result.exit_code == 1
    assert "hitmaps failed; the claims that need them say so, and --resume tries again" in result.output
    page = (folder / "report.html").read_text()
    assert "hitmaps failed: " in page and "no-such-network" in page
    assert "Layerwise ablation" in page

    kept = (folder / "outcomes" / "arrays.json").stat().st_mtime_ns
    again = reproduce("hitmap custom-cnn --images 1 --image-size 32", *CLAIMS, "--out", folder, "--resume")
    assert again.exit_code == 0, again.output
    assert (folder / "outcomes" / "arrays.json").stat().st_mtime_ns == kept
    assert json.loads((folder / "outcomes" / "hitmaps.json").read_text())["said"] is None


def test_a_folder_is_gone_on_with_only_when_asked_and_only_by_its_own_version(
    reproduce: Callable[..., Result], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    assert reproduce(BAD, "mapping_ablation", "--out", folder).exit_code == 0
    assert "holds a run already; add --resume" in reproduce(BAD, "mapping_ablation", "--out", folder).output
    resolved = folder / "resolved.json"
    resolved.write_text(json.dumps({"version": "0.1.0"}))
    result = reproduce(BAD, "mapping_ablation", "--out", folder, "--resume")
    assert result.exit_code == 2
    assert "holds another run: version" in result.output


def test_more_claims_may_be_added(reproduce: Callable[..., Result], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    good = "hitmap custom-cnn --images 1 --image-size 32"
    assert reproduce(good, "mapping_ablation", "--out", folder).exit_code == 0
    assert reproduce(good, *CLAIMS, "--out", folder, "--resume").exit_code == 0


def test_data_that_are_none_are_told_before_anything_runs(
    reproduce: Callable[..., Result], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    result = reproduce(GOOD, "mapping_ablation", "--data", "holidays", "--out", folder)
    assert result.exit_code == 2
    assert "data was 'holidays', but must be one of photos, " in result.output
    assert not folder.exists()


def test_a_folder_that_was_changed_is_told_by_its_file(
    reproduce: Callable[..., Result], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    claims = "mapping_ablation", "--out", folder
    assert reproduce(BAD, *claims).exit_code == 0
    outcome, summary = folder / "outcomes" / "arrays.json", folder / "reproduction.json"

    kept = outcome.read_text()
    outcome.write_text("{}")
    result = reproduce(BAD, *claims, "--resume")
    assert result.exit_code == 2
    assert f"{outcome}: command of the Outcome is missing" in result.output
    outcome.write_text(kept)

    (folder / "runs" / "arrays" / "layers.csv").unlink()
    assert f"{folder / 'runs' / 'arrays' / 'layers.csv'} is missing" in report(folder)
    summary.write_text(summary.read_text().replace("mapping_ablation", "mapping_oblation"))
    assert "claim was 'mapping_oblation', but must be all or one of " in report(folder)
    summary.unlink()
    assert f"{summary} is missing: {folder} holds no finished reproduction" in report(folder)


def report(folder: Path) -> str:
    result = CliRunner().invoke(make_app(), ["report", str(folder)])
    assert result.exit_code == 2
    return result.output


def test_a_study_that_is_killed_says_so(
    reproduce: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda _, **how: run(killed, **how))
    folder = tmp_path / "run"
    assert reproduce(GOOD, "mapping_ablation", "--out", folder).exit_code == 1
    said = json.loads((folder / "outcomes" / "arrays.json").read_text())["said"]
    assert said == "it was killed by SIGKILL"
    assert "arrays failed: it was killed by SIGKILL." in (folder / "reproduction.md").read_text()


def test_jobs(reproduce: Callable[..., Result], tmp_path: Path) -> None:
    result = reproduce(GOOD, "mapping_ablation", "--jobs", 0, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "jobs was 0, but must be at least 1" in result.output


def test_data_takes_the_place_of_what_a_run_names() -> None:
    run = Run(full="train vgg13 --data photos --epochs 1")
    assert run.command(False, "cifar10", {}) == ["train", "vgg13", "--epochs", "1", "--data", "cifar10"]
    assert run.command(False, None, {}) == ["train", "vgg13", "--data", "photos", "--epochs", "1"]
    assert Run(full="accuracy", data=False).command(False, "cifar10", {}) == ["accuracy"]


def test_a_run_may_read_another() -> None:
    run = Run(full="similarity vgg13 --run {training}")
    assert run.after(False) == ["training"]
    assert run.command(False, None, {"training": Path("a b")}) == ["similarity", "vgg13", "--run", "a b"]
