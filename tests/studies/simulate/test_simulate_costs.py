"""``mercuric simulate`` with energy, a bounded DRAM and several arrays, from every source."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Refused = Callable[..., str]
NETWORK = ("custom-cnn", "--images", 2, "--image-size", 16)
BOUNDED = ("--energy", "--set", "dram_words_per_cycle=1")
TOPOLOGY = """\
Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
conv, 10, 10, 3, 3, 2, 8, 1,
point, 4, 4, 1, 1, 8, 5, 1,
"""


def figures(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


def costs(summary: dict[str, Any]) -> tuple[Any, ...]:
    return summary["cycles"], summary["energy"], summary["area_mm2"], summary["layers"]


def test_saved_hitmaps_cost_what_their_network_did(mercuric: Run, tmp_path: Path) -> None:
    saved = tmp_path / "hitmaps.parquet"
    network = figures(mercuric("simulate", *NETWORK, *BOUNDED, "--json", "--save-hitmaps", saved))
    again = figures(mercuric("simulate", "--hitmaps", saved, *BOUNDED, "--json"))
    assert costs(again) == costs(network)
    cycles = network["cycles"]
    assert cycles["baseline"] > cycles["baseline_dram"] > 0 and cycles["mercury"] > cycles["dram"] > 0
    spent = network["energy"]["paper"]
    assert spent["mercury"] == pytest.approx(sum(spent["levels"]["mercury"].values()))
    assert spent["baseline"] == pytest.approx(sum(one["energy_paper_baseline"] for one in network["layers"]))


def test_several_arrays_are_told_of(mercuric: Run) -> None:
    options = ("--set", "arrays=4", "--set", "split_by=images")
    summary = figures(mercuric("simulate", *NETWORK, *options, "--json"))
    assert summary["arrays"]["idle"]["features.0"] == 2 and summary["arrays"]["idle"]["classifier.1"] == 3
    shown = " ".join(mercuric("simulate", *NETWORK, *options, *BOUNDED).stdout.split())
    assert "arrays at work" in shown and "leave up to 3 of 4 arrays idle" in shown
    assert "DRAM" in shown and "area:" in shown


def test_a_topology_costs_too(mercuric: Run, tmp_path: Path) -> None:
    topology = tmp_path / "net.csv"
    topology.write_text(TOPOLOGY)
    options = ("simulate", "--topology", topology, "--accelerator", "weight-168", *BOUNDED)
    summary = figures(mercuric(*options, "--json"))
    conv, point = summary["layers"]
    assert conv["energy_fair_baseline"] > point["energy_fair_baseline"] > 0
    # 8 input words a pixel, 40 weights, 80 outputs; with MERCURY 160 words of random filters.
    free = figures(mercuric(*options[:-2], "--json"))["layers"][1]
    assert point["cycles_baseline"] == max(free["cycles_baseline"], 128 + 40 + 80)
    assert "area: " in mercuric(*options).stdout


def test_area_is_told_without_energies_too(mercuric: Run) -> None:
    plain, priced = (figures(mercuric("simulate", *NETWORK, "--json", *more)) for more in ((), ("--energy",)))
    assert plain["area_mm2"] == priced["area_mm2"] and "energy" not in plain
    line = mercuric("simulate", *NETWORK).stdout.splitlines()[-1]
    assert line.startswith(f"area: {sum(plain['area_mm2'].values()):.3g} mm2 at 45 nm, of which MERCURY ")


def test_no_area_of_an_unlimited_mcache(mercuric: Run) -> None:
    result = mercuric("simulate", *NETWORK, "--set", "entries=null")
    assert result.stdout.splitlines()[-1] == "no area: an unlimited MCACHE has no area"
