"""Every command that counts on an accelerator from a YAML file uses the MCACHE that the file describes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from mercuric.studies.train.config import RunConfig

Run = Callable[..., Result]
Refused = Callable[..., str]

FEW, MANY = (
    "{name: few, rows: 12, columns: 14, clock_mhz: 200, entries: 16, ways: 4}",
    ("{name: many, rows: 12, columns: 14, clock_mhz: 200, entries: 4096, ways: 16}"),
)


@pytest.fixture
def arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.chdir(tmp_path)
    Path("few.yaml").write_text(FEW)
    Path("many.yaml").write_text(MANY)
    return "few.yaml", "many.yaml"


def figures(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_simulate(mercuric: Run, arrays: tuple[str, str]) -> None:
    few, many = (
        figures(mercuric("simulate", "custom-cnn", "--images", 1, "--accelerator", one, "--json"))["reuse"]
        for one in arrays
    )
    assert (few["bits"], few["entries"], few["ways"]) == (20, 16, 4)
    assert (many["entries"], many["ways"]) == (4096, 16)
    assert few["hit_rate"] < many["hit_rate"]
    shown = mercuric("simulate", "custom-cnn", "--images", 1, "--accelerator", "few.yaml").stdout
    assert "20-bit signatures of a channel's windows; 16 entries in sets of 4" in " ".join(shown.split())
    set_here = mercuric(
        "simulate", "custom-cnn", "--images", 1, "--accelerator", "many.yaml", "--set", "entries=16",
        "--set", "ways=4", "--json",
    )  # fmt: skip
    assert figures(set_here)["reuse"] == few


def test_evaluate_bounds_and_shrink(mercuric: Run, arrays: tuple[str, str]) -> None:
    counted = figures(
        mercuric("evaluate", "custom-cnn", "--accelerator", ",".join(arrays), "--inference", "--json")
    )
    macs = {one["accelerator"]: one["count_mac"] for one in counted["results"] if one["design"] == "mercury"}
    assert macs["few"] > macs["many"]
    assert [one["entries"] for one in counted["accelerators"]] == [16, 4096]
    page = Path("runs/evaluate-custom-cnn-photos/report.html").read_text()
    assert "16 entries in sets of 4 (few)" in page
    few, many = (
        figures(mercuric("bounds", "custom-cnn", "--images", 1, "--accelerator", one, "--json"))
        for one in arrays
    )
    assert few["mcache"] == {"entries": 16, "ways": 4}
    assert few["speedup"]["mercury"] < many["speedup"]["mercury"]
    assert few["speedup"]["limitless"] == pytest.approx(many["speedup"]["limitless"], rel=0.2)


@pytest.mark.usefixtures("arrays")
def test_saved_hitmaps_keep_to_their_mcache(mercuric: Run, refused: Refused) -> None:
    saving = (
        "simulate",
        "custom-cnn",
        "--images",
        1,
        "--accelerator",
        "few.yaml",
        "--save-hitmaps",
        "h.parquet",
    )
    assert mercuric(*saving).exit_code == 0
    assert "entries of accelerator 'many' was 4096, but must be 16" in refused(
        mercuric("simulate", "--hitmaps", "h.parquet", "--accelerator", "many.yaml")
    )
    assert mercuric("simulate", "--hitmaps", "h.parquet", "--accelerator", "few.yaml").exit_code == 0


def test_sweep(mercuric: Run, arrays: tuple[str, str]) -> None:
    swept = ("sweep", "custom-cnn", "--images", 1, "--set", "dataflow=row,weight", "--inference", "--json")
    rates = [
        figures(mercuric(*swept, "--accelerator", one, "--out", Path(one).stem))["combinations"][0][
            "hit_rate"
        ]
        for one in arrays
    ]
    assert rates[0] < rates[1]


@pytest.mark.usefixtures("arrays")
def test_set_means_the_same_in_simulate_and_in_a_sweep(mercuric: Run) -> None:
    options = ("custom-cnn", "--images", 1, "--set", "entries=16", "--set", "ways=4", "--inference", "--json")
    simulated = figures(mercuric("simulate", *options))
    (swept,) = figures(mercuric("sweep", *options))["combinations"]
    assert (swept["entries"], swept["ways"]) == (16, 4)
    assert swept["hit_rate"] == pytest.approx(simulated["reuse"]["hit_rate"])
    assert swept["paper_speedup"] == pytest.approx(simulated["speedup"]["paper"])


@pytest.mark.usefixtures("arrays")
def test_a_configuration_file_starts_from_the_papers_form(mercuric: Run) -> None:
    Path("two.yaml").write_text("{bits: 20, seed: 0}")
    none, two = (
        figures(mercuric("simulate", "custom-cnn", "--images", 1, *options, "--json"))
        for options in ((), ("--config", "two.yaml"))
    )
    assert none == two
    Path("other.yaml").write_text("{entries: 64, ways: 4}")
    evaluated = figures(mercuric("evaluate", "custom-cnn", "--config", "two.yaml", "--inference", "--json"))
    assert (evaluated["reuse"]["bits"], evaluated["reuse"]["magnitude"]) == (20, None)


@pytest.mark.usefixtures("arrays")
def test_a_configuration_of_another_mcache(mercuric: Run, refused: Refused) -> None:
    Path("other.yaml").write_text("{entries: 64, ways: 4}")
    for command in ("simulate", "evaluate"):
        said = refused(mercuric(command, "custom-cnn", "--accelerator", "few.yaml", "--config", "other.yaml"))
        assert "entries of the reuse configuration was 64, but must be left out, or be the 16" in said


def test_training_counts_with_the_runs_mcache_alone(tmp_path: Path) -> None:
    path = tmp_path / "few.yaml"
    path.write_text(FEW)
    with pytest.raises(ValueError, match="entries=16, ways=4 of accelerator 'few': a training run's Hitmaps"):
        RunConfig(model="custom-cnn", accelerator=str(path))
    RunConfig(model="custom-cnn", accelerator=str(path), reuse={"entries": 16, "ways": 4})
    RunConfig(model="custom-cnn", reuse={"entries": None})
