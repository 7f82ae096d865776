from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.accelerator import preset
from mercuric.accelerator.energy.energies import REQUIRED, Energies, WordCosts, as_energies, tables

COSTS = {"mac": 1.0, "register_file": 1.0, "pe_to_pe": 2.0, "buffer": 8.0, "dram": 100.0}
MINE = {"name": "mine", "unit": "pJ", **COSTS}


def test_eyeriss_costs_are_the_published_ones() -> None:
    eyeriss = as_energies("eyeriss")
    assert eyeriss.unit == "MAC"
    assert [getattr(eyeriss, level) for level in REQUIRED] == [1, 1, 2, 6, 200]


def test_horowitz_costs_follow_from_his_table() -> None:
    half, single = as_energies("horowitz-16"), as_energies("horowitz-32")
    assert (half.unit, half.word_bits, single.word_bits) == ("pJ", 16, 32)
    assert (half.mac, single.mac) == pytest.approx((1.1 + 0.4, 3.7 + 0.9))
    assert (half.dram, single.dram) == pytest.approx((1300 / 4, 1300 / 2))
    assert 4 * half.register_file == pytest.approx(2.5)  # a quarter of 8 KiB's: 1/16 of the capacity
    assert 20 < 4 * half.buffer < 100
    assert single.buffer == pytest.approx(2 * half.buffer)


def test_a_table_is_named_or_given_or_read(tmp_path: Path) -> None:
    mine = Energies.model_validate(MINE)
    path = tmp_path / "mine.yaml"
    path.write_text(mine.to_yaml())
    assert as_energies(mine) is mine
    assert as_energies(path) == as_energies(str(path)) == mine
    assert all(as_energies(table.name) is table for table in tables())
    with pytest.raises(
        ValueError, match="energies was 'eyeris', but must be one of 'eyeriss', 'horowitz-16'"
    ):
        as_energies("eyeris")


@pytest.mark.parametrize("level", REQUIRED)
def test_a_missing_level_is_named(tmp_path: Path, level: str) -> None:
    lacking = {name: value for name, value in MINE.items() if name != level}
    sentence = f"energies 'mine' give no cost of {level}; they must give one of each of mac, register_file"
    with pytest.raises(ValueError, match=sentence):
        Energies(**lacking)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(lacking))
    with pytest.raises(ValueError, match=sentence):
        as_energies(path)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"dram": -1.0}, "dram was -1.0"),
        ({"dram": float("nan")}, "dram was nan"),
        ({"word_bits": 0}, "word_bits was 0"),
        (
            {"buffer_kib": 0.25},
            "buffer_kib of energies 'mine' was 0.25, but must be above register_file_kib, 0.5",
        ),
        ({"cache": 3}, "Energies has no key 'cache'"),
    ],
)
def test_bad_costs(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Energies(**{**MINE, **wrong})


def test_a_memory_costs_what_its_capacity_says() -> None:
    mine = Energies.model_validate(MINE)
    kib = 8 * 1024
    assert mine.memory(0.5 * kib) == pytest.approx(1)
    assert mine.memory(108 * kib) == pytest.approx(8)
    assert mine.memory((0.5 * 108) ** 0.5 * kib) == pytest.approx(8**0.5)
    assert mine.memory(1) == 1  # never below a register file
    assert mine.memory(400 * kib) > 8


def test_an_accelerators_memories_cost_what_their_capacities_say() -> None:
    """Eyeriss' law is the cube root of the capacity: 6 times the cost at 216 times the size."""
    eyeriss, array = as_energies("eyeriss"), preset("eyeriss-168")
    assert eyeriss.on(array) == WordCosts(1, 2, 6)
    assert eyeriss.on(array.changed(buffer_kib=6912)).buffer == pytest.approx(24)
    assert eyeriss.on(array.changed(buffer_kib=13.5)).buffer == pytest.approx(3)
    registers = [
        eyeriss.on(array.changed(register_file_words=words)).register_file for words in (32, 256, 2048)
    ]
    assert registers == pytest.approx([0.5, 1, 2])
    assert eyeriss.on(array.changed(word_bits=32)).buffer == 6  # of as many KiB


@settings(deadline=None)
@given(words=st.integers(3, 10**5), kib=st.floats(1, 10**6), grows=st.floats(1.01, 100))
def test_a_larger_memory_never_costs_less(words: int, kib: float, grows: float) -> None:
    array = preset("eyeriss-168").changed(register_file_words=words, buffer_kib=kib)
    larger = array.changed(register_file_words=words + 1, buffer_kib=kib * grows)
    for table in tables():
        small, large = table.on(array), table.on(larger)
        assert small.register_file < large.register_file
        assert small.buffer < large.buffer


def test_costs_that_follow_no_law_are_those_of_the_table() -> None:
    flat = Energies.model_validate({**MINE, "buffer": 1.0})
    free = Energies.model_validate({**MINE, "register_file": 0.0})
    array = preset("eyeriss-168").changed(buffer_kib=6912, register_file_words=8)
    assert flat.on(array) == WordCosts(1, 2, 1)
    assert free.on(array) == WordCosts(0, 2, 8)
