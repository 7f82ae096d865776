"""Do the claims of Tables II to IV hold of the paper's own tables, and say what smaller circuits can't?"""

import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("amaranth", reason="the extra rtl is not installed")

from amaranth.lib.wiring import Component

from mercuric.accelerator.energy.virtex7 import BASELINE, DESIGNS, MCACHES, design
from mercuric.rtl.activity import Activity, PhaseActivity
from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.synthesis import Resources, Synthesis
from mercuric.studies.hardware.power.config import PowerConfig
from mercuric.studies.hardware.power.summary import summarize
from mercuric.studies.hardware.power.watts import Chip
from mercuric.studies.hardware.synthesis import study
from mercuric.studies.hardware.synthesis.config import SynthesisConfig
from mercuric.studies.reproduce.claim import all_claims
from mercuric.studies.reproduce.found import Found, answer
from mercuric.studies.reproduce.judged import Judged
from mercuric.studies.reproduce.verdict import holds, verdict

TABLES_A = "table_2a", "table_3a", "table_4a"


def papers(text: str, **_: object) -> Synthesis:
    """What the paper's tables say of a circuit, or a smaller one's that takes as much as it has entries."""
    sets, ways = json.loads(text)
    printed = design(sets, ways)
    if printed is not None:
        return Synthesis(Resources(**printed.resources), {}, depth=1)
    return Synthesis(Resources(luts=sets * ways, registers=sets, block_rams=0, dsps=12), {}, depth=1)


def sizes(circuit: Component) -> str:
    one = asdict(circuit._parameters)
    return json.dumps(
        [None, None] if isinstance(circuit, BaselineArray) else [one["cache_sets"], one["ways"]]
    )


@pytest.fixture
def synthesized(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Path]:
    """Folders of the study, whose synthesizer knows the paper's tables: of its MCACHEs, and of small ones."""
    monkeypatch.setattr(study, "text_of", sizes)
    monkeypatch.setattr(study, "synthesize_text", papers)
    small = SynthesisConfig(rows=3, columns=4, kernel_rows=3, sets=(4, 8), ways=(2, 4))
    for name, config in (("paper", SynthesisConfig()), ("small", small)):
        study.synthesize_designs(config, tmp_path / name, tmp_path / "cache")
    return {name: tmp_path / name for name in ("paper", "small")}


@pytest.mark.parametrize("name", TABLES_A)
def test_the_papers_own_circuits_are_what_it_says(synthesized: dict[str, Path], name: str) -> None:
    claim = all_claims()[name]
    found = answer(claim, {"synthesis": synthesized["paper"], "synthesis-memory": synthesized["paper"]})
    for statement, said in claim.statements.items():
        assert holds(said, found.numbers[statement]), (name, statement)
        if said.test == "near":
            assert found.numbers[statement].ours == pytest.approx(said.paper, abs=6e-5)
    assert len(found.pictures) == 2
    assert {trace.name for trace in found.pictures[0].chart.data} == {"the source", "results in registers"}


def test_growth_is_told_row_by_row_and_beside_the_other_run(synthesized: dict[str, Path]) -> None:
    found = answer(
        all_claims()["table_2a"],
        {"synthesis": synthesized["paper"], "synthesis-memory": synthesized["paper"]},
    )
    assert found.numbers["registers"].beside == (
        "row by row +11.0 %, +7.7 %, +8.6 %, the source's +11.0 %, +7.7 %, +8.6 %; "
        "29.9 % with results in registers"
    )
    assert found.why == (
        "From 16 sets x 16 ways to 64 sets x 16 ways our circuits take 29.9 % more slice registers and "
        "54.3 % more slice LUTs, the source's 29.9 % and 54.3 %."
    )


def test_small_circuits_say_only_whether_all_rises(synthesized: dict[str, Path]) -> None:
    for name in TABLES_A:
        claim = all_claims()[name]
        found = answer(claim, {"synthesis": synthesized["small"]})
        measured = {one for one, number in found.numbers.items() if number.ours is not None}
        assert measured == {"rises"} & set(claim.statements)
        assert verdict(claim, found) == ("not measured" if name == "table_4a" else _rises(found))
        assert "MCACHEs of Table" in found.numbers["luts"].beside


def _rises(found: Found) -> str:
    return "holds" if found.numbers["rises"].ours else "no"


def activity(sets: int, ways: int) -> Activity:
    """Of an MCACHE that is clocked and flips as it has entries."""
    entries = sets * ways
    operations = {
        "multiplications": 90, "sums passed on": 10, "results": 8, "dot products": 8, "results written": 0,
    }  # fmt: skip
    flips = {"pe": {"register": 500 + entries // 2, "logic": 300}, "set": {"register": 7}}
    phase = PhaseActivity(cycles=100, operations=operations, flips=flips)
    bits = {
        "pe": {"register": 8000},
        "set": {"register": 20 * entries},
        "mcache_results": {"file": 4 * entries},
    }
    return Activity(pe_sets=8, filters=2, bits=bits, phases={"products": phase, "signatures": phase})


@pytest.fixture
def power(tmp_path: Path) -> Path:
    """A folder of the study with counts that were made up."""
    known = {(0, 0): activity(0, 0), **{one: activity(*one) for one in MCACHES}}
    summarize(known, PowerConfig(pe_columns=2, block=4), Chip(), tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("table_2b", (16, 16), (64, 16)), ("table_3b", (64, 2), (64, 16)),
        ("table_4b", (None, None), (64, 16)), ("speed_for_power", (64, 8), (64, 16)),
    ],
)  # fmt: skip
def test_power_grows_as_the_study_prints_it(
    power: Path, name: str, before: tuple[int | None, int | None], after: tuple[int, int]
) -> None:
    claim = all_claims()[name]
    number = answer(claim, {"power": power}).numbers["power" if name == "speed_for_power" else "growth"]
    rows = pd.read_csv(power / "power.csv").query("results == 'registers'").set_index(["sets", "ways"])
    printed = rows["printed"]
    first = before if before[0] else (0, 0)
    assert number.ours == pytest.approx(printed[after] / printed[first] - 1)
    assert number.spread is not None
    assert number.spread[0] <= number.ours <= number.spread[1]
    of_paper = {(one.sets, one.ways): one.total_watts for one in DESIGNS}
    printed_there = of_paper[after] / of_paper[before] - 1
    said = claim.statements["power" if name == "speed_for_power" else "growth"].paper
    assert said == pytest.approx(printed_there, abs=0.003)


def test_power_of_other_mcaches_says_so(tmp_path: Path) -> None:
    known = {(0, 0): activity(0, 0), (64, 8): activity(64, 8)}
    summarize(known, PowerConfig(mcaches=((64, 8),), pe_columns=2, block=4), Chip(), tmp_path)
    for name in ("table_2b", "table_3b", "table_4b"):
        claim = all_claims()[name]
        found = answer(claim, {"power": tmp_path})
        assert verdict(claim, found) == "not measured"
        one = Judged(claim, "not measured", found, "", {})
        assert all(holds is None for _, _, holds in one.answers())


def test_speed_and_power_are_told_one_without_the_other(power: Path) -> None:
    found = answer(all_claims()["speed_for_power"], {"power": power})
    assert set(found.numbers) == {"power"}
    assert found.why.startswith("It draws ")


def test_the_baseline_is_in_every_picture_of_power(power: Path) -> None:
    for name in ("table_2b", "table_3b", "table_4b"):
        found = answer(all_claims()[name], {"power": power})
        (picture,) = found.pictures
        assert picture.chart.data[0].x[0] == BASELINE.name
        assert picture.chart.data[0].y[0] == picture.chart.data[1].y[0] == BASELINE.total_watts
