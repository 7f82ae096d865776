"""``mercuric hardware synthesize``: tables, resuming, the cache, and what can't be synthesized."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import Result

pytest.importorskip("amaranth", reason="the extra rtl is not installed")
pytest.importorskip("pyosys", reason="the extra rtl is not installed")

from amaranth.lib.wiring import Component

from mercuric.rtl import yosys
from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.synthesis import Resources, Share, Synthesis
from mercuric.rtl.yosys import OutOfTime
from mercuric.studies.hardware.synthesis import study

Run = Callable[..., Result]
Refused = Callable[..., str]
SMALL = (
    "--rows", 2, "--columns", 2, "--kernel-rows", 2, "--kernel-columns", 2, "--bits", 4, "--block", 2,
    "--queue", 1, "--ports", 1,
)  # fmt: skip


class Synthesizer:
    """Figures that follow from a circuit's sizes; keeps which circuits it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.slow: set[str] = set()

    def text_of(self, circuit: Component) -> str:
        one = circuit._parameters
        kept = {"pes": one.pes} if isinstance(circuit, BaselineArray) else asdict(one)
        return json.dumps(kept)

    def synthesize(self, text: str, time_limit: float | None = None) -> Synthesis:
        one = json.loads(text)
        sets, entries = one.get("cache_sets", 0), one.get("cache_sets", 0) * one.get("ways", 0)
        name = f"{sets}x{one['ways']}" if sets else "baseline"
        self.asked.append(name)
        if time_limit is not None and name in self.slow:
            raise OutOfTime("synthesize the circuit", time_limit)
        total = Resources(
            luts=100 + 10 * entries, registers=50 + 7 * sets + 3 * entries, block_rams=0.5, dsps=4
        )
        rest = Resources(luts=total.luts - 40, registers=total.registers, block_rams=0.5, dsps=0)
        parts = {
            "processing element": Share(4, Resources(luts=40, registers=0, block_rams=0, dsps=4)),
            "array": Share(1, rest),
        }
        return Synthesis(total, parts, depth=5 + sets)


@pytest.fixture
def synthesizer(monkeypatch: pytest.MonkeyPatch) -> Synthesizer:
    made = Synthesizer()
    monkeypatch.setattr(study, "text_of", made.text_of)
    monkeypatch.setattr(study, "synthesize_text", made.synthesize)
    return made


@pytest.fixture
def run(mercuric: Run, tmp_path: Path) -> Run:
    def command(*options: object) -> Result:
        places = ("--out", tmp_path / "run", "--cache", tmp_path / "cache")
        return mercuric("hardware", "synthesize", *SMALL, *places, *options)

    return command


def figures(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


def test_the_papers_tables(run: Run, synthesizer: Synthesizer, tmp_path: Path) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert synthesizer.asked == ["baseline", "16x16", "32x16", "48x16", "64x16", "64x2", "64x4", "64x8"]
    assert "MERCURY with 64 sets x 16 ways takes 103x the LUTs and 71.40x the registers" in result.output
    assert "the paper's takes 3.81x and 1.67x" in " ".join(result.output.split())
    folder = tmp_path / "run"
    for number, designs in (("ii", 4), ("iii", 4), ("iv", 2)):
        table = pd.read_csv(folder / f"table-{number}.csv")
        assert len(table) == 5 * designs
    table = pd.read_csv(folder / "table-ii.csv").set_index(["figure", "design"])
    luts = table.loc[("luts", "32 sets x 16 ways")]
    assert (luts["ours"], luts["paper"]) == (5220, 211437)
    assert luts["ours_ratio"] == pytest.approx(52.2) and luts["paper_ratio"] == pytest.approx(
        3.7153, abs=1e-4
    )
    assert luts["ours_growth"] == pytest.approx(5220 / 2660 - 1)
    assert luts["paper_growth"] == pytest.approx(211437 / 140597 - 1)
    assert pd.isna(table.loc[("depth", "32 sets x 16 ways"), "paper"])
    components = pd.read_csv(folder / "components.csv")
    assert components.groupby("design")["luts"].sum()["64 sets x 16 ways"] == 10340
    page = (folder / "report.html").read_text()
    for said in (
        "Table II (a): 16 ways, by sets",
        "Table IV (a)",
        "processing element",
        "DSPs beyond one a PE",
    ):
        assert said in page


@pytest.mark.usefixtures("synthesizer")
def test_lists_of_both_are_multiplied(run: Run, tmp_path: Path) -> None:
    summary = figures(run("--sets", "1,3", "--ways", "2,4", "--json"))
    names = [one["name"] for one in summary["circuits"]]
    assert names == ["baseline", "1 sets x 2 ways", "1 sets x 4 ways", "3 sets x 2 ways", "3 sets x 4 ways"]
    assert summary["circuits"][-1]["total"]["registers"] == 50 + 21 + 36 and summary["ran_out"] == []
    assert {path.name for path in (tmp_path / "run").glob("*.csv")} == {
        "2-ways-by-sets.csv", "4-ways-by-sets.csv", "1-sets-by-ways.csv", "3-sets-by-ways.csv",
        "3-sets-x-4-ways-beside-the-baseline.csv", "components.csv",
    }  # fmt: skip


def test_one_list_has_the_papers_other(run: Run, synthesizer: Synthesizer) -> None:
    assert run("--ways", "2").exit_code == 0
    assert synthesizer.asked == ["baseline", "64x2"]


def test_a_stopped_run_goes_on(run: Run, synthesizer: Synthesizer, tmp_path: Path, refused: Refused) -> None:
    whole = figures(run("--sets", "1,2", "--ways", "2", "--json"))
    (tmp_path / "run" / "circuits" / "2x2.json").unlink()
    shutil.rmtree(tmp_path / "cache")
    assert "add --resume to go on" in refused(run("--sets", "1,2", "--ways", "2"))
    synthesizer.asked.clear()
    assert figures(run("--sets", "1,2", "--ways", "2", "--resume", "--json")) == whole
    assert synthesizer.asked == ["2x2"]
    assert "holds another run: ways" in refused(run("--sets", "1,2", "--ways", "3", "--resume"))


def test_what_was_synthesized_elsewhere_is_not_again(
    run: Run, synthesizer: Synthesizer, tmp_path: Path
) -> None:
    """By content: the baseline is the same whatever the MCACHE, and another signature is another circuit."""
    first = figures(run("--sets", "1,2", "--ways", "2", "--json"))
    shutil.rmtree(tmp_path / "run")
    synthesizer.asked.clear()
    again = figures(run("--sets", "2,3", "--ways", "2", "--json"))
    assert synthesizer.asked == ["3x2"]
    assert [one for one in again["circuits"] if one in first["circuits"]] == again["circuits"][:2]
    shutil.rmtree(tmp_path / "run")
    broken = next((tmp_path / "cache").iterdir())
    broken.write_text("{")
    synthesizer.asked.clear()
    assert run("--sets", "1,2,3", "--ways", "2").exit_code == 0
    assert len(synthesizer.asked) == 1
    shutil.rmtree(tmp_path / "run")
    synthesizer.asked.clear()
    assert run("--sets", "2", "--ways", "2", "--bits", 5).exit_code == 0
    assert synthesizer.asked == ["2x2"]


def test_who_runs_out_of_time_is_named_and_the_others_kept(
    run: Run, synthesizer: Synthesizer, tmp_path: Path
) -> None:
    synthesizer.slow = {"2x2"}
    options = ("--sets", "1,2", "--ways", "2", "--time-limit", 0.5)
    result = run(*options)
    assert result.exit_code == 1
    said = " ".join(result.stderr.split())
    assert said == (
        "mercuric: 2 sets x 2 ways took longer than the 0.5 s of time_limit; finished circuits are kept: add "
        "--resume and a longer --time-limit to go on"
    )
    assert "1 sets x 2 ways" in result.stdout and (tmp_path / "run" / "report.html").exists()
    synthesizer.asked.clear()
    assert run(*options[:-2], "--resume").exit_code == 0
    assert synthesizer.asked == ["2x2"]


def test_without_a_baseline_there_are_no_ratios(run: Run, synthesizer: Synthesizer, tmp_path: Path) -> None:
    synthesizer.slow = {"baseline"}
    result = run("--sets", "1,2", "--ways", "2", "--time-limit", 1)
    assert result.exit_code == 1 and "the baseline ran out of time" in " ".join(result.stdout.split())
    table = pd.read_csv(tmp_path / "run" / "2-ways-by-sets.csv")
    assert table["ours_ratio"].isna().all() and table["ours_growth"].notna().any()
    synthesizer.slow = {"baseline", "1x2"}
    result = run("--sets", 1, "--ways", "2", "--time-limit", 1, "--bits", 5, "--out", tmp_path / "none")
    assert result.exit_code == 1 and result.stdout == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sets", "0"], "cache_sets of the circuit was 0, but must be at least 1"),
        (["--ways", "16,65"], "ways of the circuit was 65, but must be at most 64"),
        (["--kernel-rows", 5], "kernel_rows of the circuit was 5, but its array has 4 PEs"),
        (
            ["--sets", "16,x"],
            "sets was '16,x', but must be whole numbers with commas between, as 16,32,48,64",
        ),
        (["--ways", "2,2"], "ways was 2, 2, but must name each once"),
        (["--ports", -1], "ports of the circuit was -1, but must be at least 1"),
        (["--time-limit", 0], "time_limit was 0, but must be more than 0 seconds"),
        (["--jobs", 0], "jobs was 0, but must be at least 1"),
    ],
)
def test_what_cannot_be_synthesized(
    run: Run, refused: Refused, tmp_path: Path, options: list[object], said: str
) -> None:
    assert said in refused(run(*options))
    assert not (tmp_path / "run").exists()


def test_without_yosys(run: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yosys, "find_spec", lambda _name: None)
    said = refused(run())
    assert "Yosys, with which to synthesize circuits, is not installed" in said and "mercuric[rtl]" in said
    assert not (tmp_path / "run").exists()


def test_a_small_array_by_yosys(mercuric: Run, tmp_path: Path) -> None:
    """In two processes; MERCURY adds registers of tags, VT and VD bits, and results, and no multiplier."""
    places = ("--out", tmp_path / "run", "--cache", tmp_path / "cache")
    options = ("--sets", 2, "--ways", 2, "--jobs", 2, "--json")
    summary = figures(mercuric("hardware", "synthesize", *SMALL, *places, *options))
    baseline, two = summary["circuits"]
    assert baseline["total"]["dsps"] == two["total"]["dsps"] == 4
    for circuit in summary["circuits"]:
        for resource, total in circuit["total"].items():
            taken = [part["resources"][resource] for part in circuit["components"].values()]
            assert sum(taken) == pytest.approx(total)
    assert two["components"]["MCACHE set"]["instances"] == 2
    assert two["components"]["MCACHE set"]["resources"]["registers"] == 2 * 2 * (4 + 1)
    results = ("MCACHE results: VD, arbiters", "MCACHE results: 16 words")
    assert [two["components"][one]["resources"]["registers"] for one in results] == [4, 4 * 16]
    assert len(list((tmp_path / "cache").iterdir())) == 2
    assert mercuric("report", tmp_path / "run").exit_code == 0
