"""The stepper does what Fig. 8 draws and refuses what the hardware cannot do."""

import pytest
from oracle.processing_element import Arithmetic, PipelinedPE
from oracle.stepper import Array, step_dense, step_reuse

from mercuric.accelerator.hardware import LateHits

WINDOW = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_figure_8a_takes_six_cycles() -> None:
    stepped = step_dense([WINDOW], [WINDOW], Array(1, pipelined=False))
    assert (stepped.cycles, stepped.outputs) == (6, [[285]])


@pytest.mark.parametrize(("signatures", "cycles"), [(1, 7), (2, 10), (3, 13)])
def test_figure_8b_takes_seven_cycles_and_three_for_each_next(signatures: int, cycles: int) -> None:
    assert step_dense([WINDOW] * signatures, [WINDOW], Array(1, pipelined=True)).cycles == cycles


def test_figure_8b_register_by_register() -> None:
    """ORg holds the second window's first product in cycle 5; sums pass in cycles 5, 6 and 7."""
    first = PipelinedPE(0, None)
    second = PipelinedPE(1, first)
    third = PipelinedPE(2, second)
    passed = {}
    for cycle in range(1, 11):
        start = (WINDOW, WINDOW) if cycle in (1, 4) else None
        for pe in (third, second, first):
            pe.step(cycle, start)
        passed[cycle] = (first.passed, second.passed, third.passed)
    assert passed[4] == (None, None, None)
    assert passed[5] == (14, None, None)
    assert passed[6] == (None, 14 + 77, None)
    assert passed[7] == (None, None, 14 + 77 + 194)
    assert passed[10] == (None, None, 285)


def test_hits_take_one_cycle() -> None:
    stepped = step_reuse([WINDOW] * 4, [WINDOW], [1, 0, 0, 2], [0, 0, 0, 3], Array(1, pipelined=False))
    assert (stepped.cycles, stepped.outputs, stepped.early_hits) == (6 + 1 + 1 + 6, [[285] * 4], 0)


def test_hits_behind_a_miss_leave_after_it() -> None:
    stepped = step_reuse([WINDOW] * 3, [WINDOW], [1, 0, 0], [0, 0, 0], Array(1, pipelined=True))
    assert (stepped.cycles, stepped.early_hits) == (7 + 2, 0)


@pytest.mark.parametrize(("pipelined", "cycles"), [(False, 5), (True, 6)])
def test_a_mac_unit_saves_a_cycle(pipelined: bool, cycles: int) -> None:
    """2k - 1 (paper III-B2); pipelined, the last product's own addition falls away: 2k."""
    stepped = step_dense([WINDOW], [WINDOW], Array(1, pipelined, mac_unit=True))
    assert (stepped.cycles, stepped.outputs) == (cycles, [[285]])
    assert step_dense([WINDOW] * 4, [WINDOW], Array(1, True, mac_unit=True)).cycles == 6 + 3 * 3


@pytest.mark.parametrize(("late_hits", "two", "four"), [("ready", 6, 7), ("wait", 7, 8), ("recompute", 6, 7)])
def test_a_hit_whose_result_is_not_there(late_hits: LateHits, two: int, four: int) -> None:
    """PE set 2 needs the result that set 1 has after 6 cycles, as long as computing it takes."""
    array = Array(2, pipelined=False)
    stepped = step_reuse([WINDOW] * 2, [WINDOW], [1, 0], [0, 0], array, late_hits)
    assert (stepped.cycles, stepped.early_hits) == (two, late_hits == "ready")
    assert step_reuse([WINDOW] * 4, [WINDOW], [1, 0, 0, 0], [0] * 4, array, late_hits).cycles == four


def test_a_barrier_follows_each_filter() -> None:
    """PE set 1 computes two vectors a filter, PE set 2 none: 2 x 6 cycles a filter, not less."""
    stepped = step_reuse([WINDOW] * 4, [WINDOW] * 3, [1, 2, 0, 0], [0, 1, 0, 0], Array(2, pipelined=False))
    assert stepped.cycles == 3 * 12
    assert stepped.early_hits == 3 * 2


def test_an_adder_adds_once_a_cycle() -> None:
    arithmetic = Arithmetic()
    assert arithmetic.add(1, 2, 3) == 5
    assert arithmetic.add(2, 2, 3) == 5
    with pytest.raises(RuntimeError, match="two additions in cycle 2"):
        arithmetic.add(2, 2, 3)


def test_a_multiplier_multiplies_once_a_cycle() -> None:
    arithmetic = Arithmetic()
    assert arithmetic.multiply(1, 2, 3) == 6
    with pytest.raises(RuntimeError, match="two multiplications in cycle 1"):
        arithmetic.multiply(1, 2, 3)


def test_a_dot_product_cannot_start_before_the_last_is_multiplied() -> None:
    pe = PipelinedPE(0, None)
    pe.step(1, (WINDOW, WINDOW))
    with pytest.raises(RuntimeError, match="started in cycle 2 before"):
        pe.step(2, (WINDOW, WINDOW))


def test_a_vector_without_an_entry_cannot_be_hit() -> None:
    with pytest.raises(RuntimeError, match="vector 1 hit the entry of vector 0, which never became valid"):
        step_reuse([WINDOW] * 2, [WINDOW], [2, 0], [0, 0], Array(1, pipelined=False))


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="sets was 0"):
        Array(0, pipelined=False)
    with pytest.raises(ValueError, match="equal rows"):
        step_dense([WINDOW], [WINDOW[:2]], Array(1, pipelined=False))
    with pytest.raises(ValueError, match="states and representatives had 1 and 1 entries"):
        step_reuse([WINDOW] * 2, [WINDOW], [1], [0], Array(1, pipelined=False))
