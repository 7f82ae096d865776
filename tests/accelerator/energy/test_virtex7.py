"""The paper's Tables II to IV: what they say of themselves, and what its text says of them."""

from itertools import pairwise

import numpy as np
import pytest

from mercuric.accelerator.energy.virtex7 import BASELINE, DESIGNS, LARGEST, TABLES, Design, design

MERCURY = [(one, one.sets, one.ways) for one in DESIGNS if one.sets is not None and one.ways is not None]


def watts(sets: int | None, ways: int | None) -> float:
    found = design(sets, ways)
    assert found is not None
    return found.total_watts


def resource(table: str, name: str) -> list[float]:
    return [one.resources[name] for one in TABLES[table]]


def test_which_rows_each_table_has() -> None:
    assert [one.name for one in TABLES["II"]] == [f"{sets} sets x 16 ways" for sets in (16, 32, 48, 64)]
    assert [one.name for one in TABLES["III"]] == [f"64 sets x {ways} ways" for ways in (2, 4, 8, 16)]
    assert TABLES["IV"] == (BASELINE, LARGEST) and TABLES["II"][-1] is TABLES["III"][-1] is LARGEST
    assert design(None, None) is BASELINE and design(64, 16) is LARGEST and design(64, 32) is None


def test_cells_that_scanned_copies_lose() -> None:
    """Table III (a) and the first and last columns of the tables (b)."""
    assert resource("III", "luts") == [216777, 216618, 216758, 216918]
    assert resource("III", "registers") == [65727, 67897, 71999, 81332]
    assert [one.watts["clocks"] for one in TABLES["III"]] == [0.146, 0.151, 0.157, 0.166]
    assert [one.total_watts for one in TABLES["II"]] == [1.811, 1.833, 1.884, 1.929]


@pytest.mark.parametrize("one", DESIGNS, ids=lambda one: one.name)
def test_a_part_of_the_power_is_not_listed(one: Design) -> None:
    """The six parts add up to 0.106 W less than the total, in the baseline as with MERCURY."""
    assert one.total_watts - sum(one.watts.values()) == pytest.approx(0.106, abs=0.0011)


def test_what_the_text_says_of_power() -> None:
    """VII-F: four times the sets 6.5 %, eight times the ways 3.98 %; VII-C: 2.85 % from 512 x 8 on."""
    assert watts(64, 16) / watts(16, 16) - 1 == pytest.approx(0.065, abs=0.0005)
    assert watts(64, 16) / watts(64, 2) - 1 == pytest.approx(0.0398, abs=0.0002)
    assert watts(64, 16) / watts(64, 8) - 1 == pytest.approx(0.0285, abs=0.0003)
    assert LARGEST.total_watts / BASELINE.total_watts == pytest.approx(1.135, abs=0.003)


def test_registers_are_a_plane() -> None:
    """103 a set and 17.5 an entry: tags and valid bits, without results of 16 bits beside them."""
    for one, sets, ways in MERCURY:
        plane = BASELINE.resources["registers"] + 8049 + 103 * sets + 17.5 * sets * ways
        assert one.resources["registers"] == pytest.approx(plane, abs=500)
    added = [one.resources["registers"] - BASELINE.resources["registers"] for one, *_ in MERCURY]
    terms = [[1, sets, sets * ways] for _, sets, ways in MERCURY]
    fit, *_ = np.linalg.lstsq(np.array(terms, float), np.array(added, float), rcond=None)
    assert fit == pytest.approx([8049, 103, 17.5], rel=0.01)


def test_a_block_ram_more_a_set() -> None:
    for one, sets, _ in MERCURY:
        assert one.resources["block_rams"] - BASELINE.resources["block_rams"] == sets


def test_luts_saturate() -> None:
    """16 sets more add 50 %, then 2.4 %, then 0.2 %; eight times the ways add 0.1 %."""
    growth = [after / before - 1 for before, after in pairwise(resource("II", "luts"))]
    assert growth == pytest.approx([0.504, 0.024, 0.0017], abs=0.0005)
    assert max(resource("III", "luts")) / min(resource("III", "luts")) < 1.0015


def test_dsps_beyond_the_array() -> None:
    assert {one.resources["dsps"] - 168 for one in DESIGNS} == {30}
