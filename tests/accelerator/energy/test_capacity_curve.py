from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.accelerator import Accelerator, preset
from mercuric.accelerator.energy.capacity_curve import CapacityCurve
from mercuric.accelerator.energy.energies import Energies, as_energies

MINE = {"name": "mine", "unit": "pJ", "mac": 1.0, "pe_to_pe": 2.0, "dram": 100.0}
CURVE = ((1.0, 1.0), (4.0, 2.0), (16.0, 8.0))


def test_costs_between_and_beyond_the_points() -> None:
    curve = CapacityCurve(CURVE)
    assert [curve.at(kib) for kib, _ in CURVE] == pytest.approx([1, 2, 8])
    assert (curve.at(2), curve.at(8)) == pytest.approx((2**0.5, 4))  # half the way, by logarithms
    assert (curve.at(0.25), curve.at(64)) == pytest.approx((0.5, 32))  # the nearest slopes go on


@given(st.floats(1e-3, 1e6), st.floats(1.001, 100))
@settings(deadline=None)
def test_a_larger_memory_costs_more(kib: float, grows: float) -> None:
    assert CapacityCurve(CURVE).at(kib) < CapacityCurve(CURVE).at(kib * grows)


def test_register_file_and_buffer_may_be_left_to_the_curve(tmp_path: Path) -> None:
    mine = Energies(**MINE, curve=CURVE, register_file_kib=2, buffer_kib=8)
    assert (mine.register_file, mine.buffer) == pytest.approx((2**0.5, 4))
    path = tmp_path / "mine.yaml"
    path.write_text(mine.to_yaml())
    assert as_energies(path) == mine
    array = preset("eyeriss-168").changed(buffer_kib=64, register_file_words=128)  # of 16 bits: 0.25 KiB
    assert (mine.on(array).register_file, mine.on(array).buffer) == pytest.approx((0.5, 32))
    assert mine.memory(64 * 8192) == pytest.approx(32)  # an MCACHE's results, say
    assert mine.memory(8) == mine.register_file


def test_cacti_is_between_published_caches() -> None:
    """CACTI's 32 KiB and 1 MiB are 15 % and 22 % below Horowitz' 20 and 100 pJ, its 8 KiB 40 % below."""
    table = as_energies("cacti-16")
    assert [4 * table.memory(kib * 8192) for kib in (0.5, 8, 32)] == pytest.approx([1.3623, 6.0479, 16.998])
    assert 4 * table.memory(1024 * 8192) == pytest.approx(79.1, abs=0.1)
    horowitz = as_energies("horowitz-16")
    assert (table.mac, table.dram) == (horowitz.mac, horowitz.dram)
    assert as_energies("cacti-32").buffer == pytest.approx(2 * table.buffer)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"curve": [[1, 2]]}, r"curve was \[\(1.0, 2.0\)\], but must have at least two points"),
        ({"curve": [[1, 2], [2, 2]]}, "curve went from 2.0 at 1.0 KiB to 2.0 at 2.0 KiB, but capacities and"),
        ({"curve": [[2, 1], [1, 2]]}, "curve went from 1.0 at 2.0 KiB to 2.0 at 1.0 KiB"),
        (
            {"curve": [[0, 1], [1, 2]]},
            "curve had a point of 0.0 KiB at a cost of 1.0, but both must be above",
        ),
        ({"curve": "steep"}, "curve was 'steep', but must be pairs of a capacity in KiB and the cost of a w"),
        (
            {"curve": CURVE, "register_file": 3.0},
            "register_file of energies 'mine' was 3.0, but must be the 0",
        ),
        (
            {"curve": CURVE, "dram_row_miss": 99.0},
            "dram_row_miss of energies 'mine' was 99.0, but must be at",
        ),
    ],
)
def test_bad_curves(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Energies(**{**MINE, **wrong})


def test_an_open_row_is_cheaper_and_faster() -> None:
    table = Energies(**MINE, curve=CURVE)
    assert [table.dram_word(hits) for hits in (1, 0.5, 0)] == [100, 150, 200]
    assert Energies(**MINE, curve=CURVE, dram_row_miss=110.0).dram_word(0.5) == 105
    array = preset("eyeriss-like")  # 4 words a cycle
    cycles = [array.changed(dram_row_hits=hits).dram_cycles(400) for hits in (1, 0.5, 0)]
    assert cycles == [100, 375, 650]
    assert preset("eyeriss-168").dram_cycles(400) == 0


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"dram_row_hits": 1.5},
            "dram_row_hits of accelerator 'eyeriss-168' was 1.5, but must be from 0 to 1",
        ),
        ({"dram_row_hits": -0.1}, "dram_row_hits of accelerator 'eyeriss-168' was -0.1"),
        ({"arrays": 0}, "arrays of accelerator 'eyeriss-168' was 0, but must be at least 1"),
        ({"split_by": "layers"}, "split_by was 'layers'"),
        ({"link_words_per_cycle": 0}, "link_words_per_cycle of accelerator 'eyeriss-168' was 0.0, but must"),
        ({"dram_words_per_cycle": -1}, "none for a DRAM that never makes the array wait"),
    ],
)
def test_bad_hardware(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Accelerator(**{**preset("eyeriss-168").model_dump(), **wrong})
