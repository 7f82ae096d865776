"""``mercuric speedups`` as a user runs it, and its tables by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import Result

from mercuric.studies.speedups.study import NETWORKS, lost, speedup_table

Run = Callable[..., Result]
Refused = Callable[..., str]


def swept(*models: str) -> pd.DataFrame:
    """Two layers on every combination: one gains 2x without 10 cycles of signatures, one loses.

    Without hits the first takes longer than densely, and the second gains what reuse has no part in.
    """
    layers = [
        {
            "layer": "conv",
            "kind": "conv",
            "vectors": 10,
            "HIT": 5,
            "cycles_baseline": 100,
            "cycles_mercury": 60,
            "cycles_signature": 10,
            "cycles_stall": 0,
            "cycles_no_hits": 110,
        },
        {
            "layer": "head",
            "kind": "linear",
            "vectors": 10,
            "HIT": 0,
            "cycles_baseline": 20,
            "cycles_mercury": 25,
            "cycles_signature": 5,
            "cycles_stall": 0,
            "cycles_no_hits": 16,
        },
    ]
    fair = {f"fair_{part}": 50 for part in ("baseline", "mercury", "signature", "stall", "no_hits")}
    return pd.DataFrame(
        [
            {"model": model, "dataflow": dataflow, "design": design, **layer, **fair}
            for model in models
            for dataflow in ("row", "weight", "input")
            for design in ("synchronous", "asynchronous")
            for layer in layers
        ]
    )


def test_losing_layers_are_off() -> None:
    table = speedup_table(swept("net"))
    assert list(table["model"]) == ["net"] * 3
    row = table.iloc[0]
    assert row["synchronous_paper"] == row["asynchronous_paper"] == pytest.approx(120 / (60 + 20))
    assert row["synchronous_fair"] == 1.0
    assert row["no_hits"] == pytest.approx(120 / 116)


def test_only_a_mean_of_the_papers_networks_stands_beside_the_papers() -> None:
    paper = speedup_table(swept(*NETWORKS))
    assert list(paper["model"][-3:]) == ["mean"] * 3
    assert list(paper["published"][-3:]) == [1.97, 1.66, 1.55]
    for models in (NETWORKS[:-1], (*NETWORKS, "densenet121"), ("custom-cnn", "net")):
        others = speedup_table(swept(*models))
        assert list(others["model"][-3:]) == ["mean"] * 3
        assert others["published"][-3:].isna().all()


def test_what_is_lost_by_hand() -> None:
    row = lost(swept("net")).iloc[0]
    assert row["hit_rate"] == 0.25
    assert row["free"] == pytest.approx(120 / 70)
    assert row["products"] == pytest.approx(120 / 70)
    assert row["signatures"] == pytest.approx(120 / 85)
    assert row["adapted"] == pytest.approx(120 / 80)
    assert row["convolutions"] == pytest.approx(100 / 60)


def test_tables_and_figures(mercuric: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["custom-cnn", "--images", 1, "--image-size", 32]
    result = mercuric("speedups", *options)
    assert result.exit_code == 0, result.output
    assert "custom-cnn" in result.stdout and "no hits" in result.stdout and "1.97x" not in result.stdout
    table = Path("runs/speedups/speedups.md").read_text()
    assert table.count("\n| custom-cnn |") == 4 and "| mean |" not in table
    again = json.loads(mercuric("speedups", *options, "--resume", "--json").stdout)
    assert [row["dataflow"] for row in again["speedups"]] == ["row", "weight", "input"]
    assert all(row["no_hits"] == 1 for row in again["speedups"])
    assert set(again["normalisation"].values()) <= {"batch", "none"}
    assert (again["reuse"]["bits"], again["reuse"]["entries"], again["reuse"]["ways"]) == (20, 1024, 16)
    assert table.startswith("20-bit signatures of a channel's windows; 1024 entries in sets of 16")
    assert again["lost"][0]["free"] >= again["lost"][0]["products"]


def test_an_unknown_network(mercuric: Run, refused: Refused) -> None:
    assert "model was 'vgg12', but must be one of" in refused(mercuric("speedups", "vgg12"))
