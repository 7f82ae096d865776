import pytest

from mercuric.accelerator.energy.area import (
    AREA_45NM,
    AREA_65NM,
    BASELINE_PARTS,
    MERCURY_PARTS,
    chip_area,
)
from mercuric.accelerator.hardware import preset

EYERISS = preset("eyeriss-168").changed(dealing="vectors")


def test_every_part_is_what_the_table_says() -> None:
    area = chip_area(EYERISS, vectors=1024, bits=20)
    assert tuple(area) == BASELINE_PARTS + MERCURY_PARTS
    assert area["MAC units"] == pytest.approx(168 * 3000 / 1e6)
    assert area["global buffer"] == pytest.approx(108 * 8192 * 0.692 / 1e6)
    assert area["register files"] == pytest.approx(168 * 256 * 16 * 0.692 / 1e6)
    assert area["MCACHE results"] == pytest.approx(1024 * 16 * 4.522 / 1e6)
    assert area["MCACHE tags"] == pytest.approx(1024 * (22 * 4.522 + 20 * 1.596) / 1e6)
    assert area["Signature Table"] == pytest.approx(1024 * 30 * 0.692 / 1e6)
    assert area["Hitmap"] == pytest.approx(2048 * 4.522 / 1e6)
    assert area["insertion queues"] == 0


def test_what_a_design_adds_grows_with_it() -> None:
    plain = chip_area(EYERISS, 1024, 20)
    queued = chip_area(EYERISS.changed(insertion_queue=4), 1024, 20)
    several = chip_area(EYERISS.changed(design="asynchronous"), 1024, 20)
    longer = chip_area(EYERISS, 1024, 40)
    assert queued["insertion queues"] == pytest.approx(4 * 64 * 20 * 4.522 / 1e6)
    assert several["MCACHE results"] == pytest.approx(4 * plain["MCACHE results"])
    assert longer["MCACHE tags"] > plain["MCACHE tags"]
    assert all(longer[part] == plain[part] for part in BASELINE_PARTS)


def test_an_mcache_for_layers_that_are_not_known() -> None:
    """Rows dealt: one result a row of the array, or as many as the accelerator says; and not one a PE."""
    one, rows = (chip_area(array, 9, 20)["MCACHE results"] for array in (EYERISS, preset("eyeriss-168")))
    assert rows == pytest.approx(12 * one)
    for replicas in (4, 24):
        array = preset("eyeriss-168").changed(replicas=replicas)
        assert chip_area(array, 9, 20)["MCACHE results"] == pytest.approx(replicas * one)
    beside = preset("eyeriss-168").changed(replicated="channels")
    assert chip_area(beside, 9, 20, results=1)["MCACHE results"] == pytest.approx(12 * one)


def test_another_node_scales_by_its_square() -> None:
    small, large = chip_area(EYERISS, 9, 20), chip_area(EYERISS, 9, 20, AREA_65NM)
    assert AREA_65NM.node_nm == 65
    assert sum(large.values()) == pytest.approx(sum(small.values()) * (65 / 45) ** 2)


def test_what_has_no_area() -> None:
    with pytest.raises(ValueError, match="entries of accelerator 'eyeriss-168' was None"):
        chip_area(EYERISS.changed(entries=None), 9, 20)
    for argument, wrong in (("vectors", (0, 20)), ("bits", (9, 0))):
        with pytest.raises(ValueError, match=f"{argument} was 0, but must be at least 1"):
            chip_area(EYERISS, *wrong)
    with pytest.raises(ValueError, match="word_bits of area table '45 nm' was 16, but must be the 32"):
        chip_area(EYERISS.changed(word_bits=32), 9, 20, AREA_45NM)
