"""``mercuric speedups --assumptions`` as a user runs it, and its counts beside a simulation's."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import Result

from mercuric.accelerator import preset
from mercuric.accelerator.count.simulation import simulate_calls
from mercuric.studies.speedups.assumptions.counts import count_recorded
from mercuric.studies.speedups.assumptions.declared import DECLARED
from mercuric.studies.speedups.assumptions.sums import Sum
from mercuric.trace.hitmaps.saved import open_hitmaps, saved_calls

Run = Callable[..., Result]
Refused = Callable[..., str]
SMALL = ["custom-cnn", "--image-size", 16]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("assumptions")


@pytest.fixture
def filled(mercuric: Run, folder: Path) -> dict[str, object]:
    resume = ["--resume"] if (folder / "config.yaml").exists() else []
    result = mercuric("speedups", "--assumptions", *SMALL, "--out", folder, "--json", *resume)
    assert result.exit_code == 0, result.output
    read: dict[str, object] = json.loads(result.stdout)
    return read


def test_every_combination_is_counted_or_named(filled: dict[str, object], folder: Path) -> None:
    table = pd.read_csv(folder / "combinations.csv")
    names = [one.name for one in DECLARED.all]
    assert len(table) == filled["counted"] and not table.duplicated(names).any()
    left_out = pd.DataFrame(filled["left_out"])
    assert filled["declared"] == DECLARED.number
    # Those that are left out for two reasons stand under both.
    assert DECLARED.number - left_out["combinations"].sum() <= len(table) < DECLARED.number
    assert set(left_out["why"]) >= {one.said for one in DECLARED.left_out}
    assert filled["whole"] is False and filled["singles"] == []


def test_the_page_says_both(filled: dict[str, object], folder: Path) -> None:
    del filled
    page = (folder / "report.html").read_text()
    assert "search after the fact" in page and "not the paper's eleven" in page.replace("&#39;", "'")
    tables = (folder / "assumptions.md").read_text()
    for one in DECLARED.all:
        assert one.name in tables and one.sentence in tables


def test_counts_are_those_of_a_simulation(filled: dict[str, object], folder: Path) -> None:
    del filled
    path = next((folder / "hitmaps").glob("custom-cnn-batch-*.parquet"))
    arrays = {
        "products": preset("eyeriss-168").changed(dealing="products"), "weights": preset("weight-168")
    }  # fmt: skip
    counted = count_recorded(path, arrays).assign(model="net")
    for paid in ("free", "reload", "compute"):
        found = Sum(gradients=paid, losing="on").speedups(counted, ["array"])  # type: ignore[arg-type]
        for name, array in arrays.items():
            charged = array.changed(gradient_signatures=paid)
            simulated = simulate_calls(saved_calls(open_hitmaps(path)), charged)
            assert found[name] == pytest.approx(simulated.speedup("paper"), rel=1e-12)


def test_a_depth_and_a_port_are_those_of_two_timings(filled: dict[str, object], folder: Path) -> None:
    del filled
    path = next((folder / "hitmaps").glob("custom-cnn-batch-*.parquet"))
    array = preset("input-168").changed(design="asynchronous", hit_cycles=1)
    counted = count_recorded(path, {"inputs": array})
    for depth, baseline in (("channel", "paper"), ("whole", "fair")):
        for ports, mercury in (("unlimited", "paper"), (1, "fair")):
            chosen = Sum(baseline=baseline, mercury=mercury, losing="on")  # type: ignore[arg-type]
            spelled = array.changed(baseline_depth=depth, hit_ports=ports)
            simulated = simulate_calls(saved_calls(open_hitmaps(path)), spelled)
            found = chosen.speedups(counted, ["array"])["inputs"]
            assert found == pytest.approx(simulated.speedup("paper"), rel=1e-12)


def test_tables_in_the_terminal_and_a_folder_that_is_taken(
    mercuric: Run, refused: Refused, filled: dict[str, object], folder: Path
) -> None:
    shown = mercuric("speedups", "--assumptions", *SMALL, "--out", folder, "--resume").stdout
    assert f"of {filled['counted']:,} combinations" in shown and "the paper" in shown
    assert "holds a run already" in refused(mercuric("speedups", "--assumptions", *SMALL, "--out", folder))


def test_an_unknown_network(mercuric: Run, refused: Refused) -> None:
    assert "model was 'vgg12', but must be one of" in refused(mercuric("speedups", "--assumptions", "vgg12"))
