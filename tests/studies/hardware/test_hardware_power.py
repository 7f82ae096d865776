"""Activities in watts, the fit to the paper's rows, verdicts, and the command."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

pytest.importorskip("amaranth")

from mercuric.accelerator.energy.cells import CELLS_45NM
from mercuric.accelerator.energy.virtex7 import BASELINE, DESIGNS, LARGEST
from mercuric.rtl.activity import Activity, PhaseActivity
from mercuric.studies.hardware.power.config import PowerConfig
from mercuric.studies.hardware.power.fit import fits, fits_table, unlisted
from mercuric.studies.hardware.power.layer import layer, parameters
from mercuric.studies.hardware.power.verdicts import FAILS, HOLDS, as_printed, verdicts
from mercuric.studies.hardware.power.watts import Chip, flip_flops, power_table

Run = Callable[..., Result]
Refused = Callable[..., str]
CONFIG = PowerConfig(mcaches=((16, 16), (64, 16)), pe_columns=2, block=4, bits=20)


def done(multiplications: int, **more: int) -> dict[str, int]:
    counted = {"multiplications": multiplications, "sums passed on": 10, "results": 8, "dot products": 8}
    return {**counted, "results written": 0, **more}


def mercury(tags: int, wire: int = 0) -> Activity:
    """Eight PE sets of 1000 flip-flops, and an MCACHE of ``tags`` bits."""
    flips = {"pe": {"register": 500, "logic": 300, "wire": wire}, "set": {"register": 7}}
    phase = PhaseActivity(cycles=100, operations=done(90), flips=flips)
    bits = {"pe": {"register": 8000}, "set": {"register": tags}, "words": {"file": 4096}}
    return Activity(pe_sets=8, filters=2, bits=bits, phases={"signatures": phase, "products": phase})


BASE = Activity(
    pe_sets=8, filters=2, bits={"pe": {"register": 8000}, "filter_buffer": {"register": 144}},
    phases={
        "products": PhaseActivity(
            cycles=100, operations=done(180), flips={"pe": {"register": 400, "logic": 200}},
        )
    },
)  # fmt: skip


def test_flip_flops_are_those_of_all_pe_sets_and_of_one_mcache() -> None:
    chip = Chip(pe_sets=56)
    assert flip_flops(mercury(100), chip) == 8000 * 7 + 100 + 4096
    assert flip_flops(mercury(100), replace(chip, results="memory")) == 8000 * 7 + 100
    assert flip_flops(BASE, chip) == 8000 * 7 + 144


def test_power_is_what_happened_times_what_it_costs() -> None:
    row = power_table({(0, 0): BASE}, CONFIG, Chip(pe_sets=8, filters=2, megahertz=100)).iloc[0]
    watts = 100e-6 / 100  # of a pJ in 100 cycles
    cells = CELLS_45NM
    assert row["clocks"] == pytest.approx(cells.clock * 8144 * 100 * watts)
    assert row["logic"] == pytest.approx((400 * cells.register_flip + 200 * cells.gate_flip) * watts)
    assert row["signals"] == pytest.approx(600 * cells.wire_flip * watts)
    assert row["dsp"] == pytest.approx((180 * (cells.multiply + cells.add) + 10 * cells.add) * watts)
    assert row["dynamic"] == pytest.approx(row[["clocks", "logic", "signals", "memory", "dsp"]].sum())


def test_a_layer_of_more_filters_signs_once() -> None:
    few, many = (
        power_table({(64, 16): mercury(9)}, CONFIG, Chip(filters=filters)).iloc[0] for filters in (2, 20)
    )
    assert few["cycles"] == 200
    assert many["cycles"] == 100 + 10 * 100


def test_the_papers_baseline_stands_for_ours() -> None:
    table = power_table({(0, 0): BASE, (64, 16): mercury(900)}, CONFIG, Chip())
    for by in ("kind", "whole"):
        printed = as_printed(table, by)
        assert printed[0, 0] == pytest.approx(BASELINE.total_watts)
        assert printed[64, 16] != printed[0, 0]
    clocked = table.set_index("sets")["flip_flops"]
    more = (clocked[64] - clocked[0]) * 0.112 / 48735
    kinds = [("logic", 0.070), ("signals", 0.138), ("dsp", 0.087)]
    base, ours = table.iloc[0], table.iloc[1]
    more += sum(watts * (ours[kind] / base[kind] - 1) for kind, watts in kinds)
    assert as_printed(table)[64, 16] == pytest.approx(1.703 + more)


def test_verdicts_are_those_of_the_designs_that_were_run() -> None:
    found = verdicts({(0, 0): BASE, (16, 16): mercury(10), (64, 16): mercury(900_000)}, CONFIG)
    by_claim = {one.claim: one for one in found}
    assert len(by_claim) == 3
    sets = next(one for claim, one in by_claim.items() if claim.startswith("quadrupling"))
    assert sets.paper == pytest.approx(1.929 / 1.811 - 1)
    assert sets.said == FAILS and sets.low is not None and sets.low > 2 * sets.paper
    most = by_claim["most of it is signals and logic"]
    assert most.paper == pytest.approx(0.113 / 0.226)
    assert most.said == FAILS  # nearly all are clocks here, and half is what the tables have
    assert [one.said for one in verdicts({(0, 0): BASE}, CONFIG)] == []


def test_doublings_hold_where_each_takes_more() -> None:
    grown = {(sets, 16): mercury(100 * sets) for sets in (16, 32, 64)}
    found = {one.claim: one for one in verdicts({(0, 0): BASE, **grown}, CONFIG)}
    assert found["each doubling of the sets takes more power"].said == HOLDS


def test_the_papers_columns_leave_out_a_tenth_of_a_watt() -> None:
    assert all(0.1045 < left < 0.1075 for left in unlisted())


def test_fits_are_least_squares_and_say_what_a_row_left_out_would_be() -> None:
    counted = {(one.sets or 0, one.ways or 0): 2 * one.total_watts + 1 for one in DESIGNS}
    found = fits(counted)
    by_form = {" + ".join(one.terms): one for one in found}
    assert np.allclose(by_form["1 + ours"].residuals, 0)
    assert np.allclose(by_form["1 + ours"].left_out, 0)
    assert sum(by_form["1 + registers"].residuals) == pytest.approx(0)
    with_flag = by_form["1 + MERCURY + sets + entries"]
    assert with_flag.residuals[0] == pytest.approx(0)  # one coefficient is the baseline's alone
    assert np.isnan(with_flag.left_out[0]) and not np.isnan(with_flag.left_out[1:]).any()
    table = fits_table(found).set_index("form")
    assert (table["left_out_rms_mw"] >= table["rms_mw"]).all()
    assert len(fits()) == len(found) - 1


def test_a_row_is_in_the_largest_design() -> None:
    assert LARGEST.total_watts == pytest.approx(1.929)


@pytest.mark.parametrize("windows", ["photograph", "drawn"])
def test_no_sum_of_the_layer_is_cut_off(windows: str) -> None:
    config = CONFIG.changed(windows=windows)
    one = layer(config, parameters(config, 4, 2))
    assert one.vectors.shape == (1, 32, 3, 3)
    largest = np.abs(one.vectors).sum(axis=(2, 3)).max() * 15
    assert largest < 2**15


COMMAND = (
    "hardware", "power", "--mcaches", "2x1", "--rows", "3", "--columns", "1", "--block", "2", "--bits", "3",
)  # fmt: skip


def test_the_command_counts_goes_on_and_writes_a_page(mercuric: Run, tmp_path: Path) -> None:
    out = tmp_path / "power"
    first = mercuric(*COMMAND, "--out", out, "--json")
    assert first.exit_code == 0, first.output
    summary = json.loads(first.stdout)
    assert [row["design"] for row in summary["designs"][:2]] == ["baseline", "2 sets x 1 ways"]
    assert (out / "report.html").is_file() and (out / "power.csv").is_file()
    before = (out / "activity-2x1.json").stat().st_mtime_ns
    assert mercuric(*COMMAND, "--out", out).exit_code == 2
    again = mercuric(*COMMAND, "--out", out, "--resume")
    assert again.exit_code == 0, again.output
    assert "2 sets x 1 ways" in again.stdout
    assert again.stdout.startswith("No claim about power is of the designs that were run.")
    assert (out / "activity-2x1.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--mcaches", "16", "must be sets x ways"),
        ("--mcaches", "16x16,16x16", "twice"),
        ("--mcaches", "0x16", "mcaches"),
        ("--mcaches", "16x65", "at most 64"),
        ("--side", 1, "map of at least"),
        ("--columns", 0, "pe_columns"),
    ],
)
def test_a_wrong_size_is_one_sentence(
    mercuric: Run, refused: Refused, option: str, value: object, said: str, tmp_path: Path
) -> None:
    assert said in refused(mercuric(*COMMAND, "--out", tmp_path / "power", option, value))
    assert not (tmp_path / "power").exists()
