"""Energies of cells: what they are made of, and that nonsense is refused."""

import pytest

from mercuric.accelerator.energy.cells import CELLS_45NM, WIRE_FF_PER_UM


def test_a_wire_takes_half_c_v_squared() -> None:
    capacitance = WIRE_FF_PER_UM * 50 + 1.14
    assert CELLS_45NM.wire_um == 50
    assert pytest.approx(capacitance * 0.9**2 / 2 / 1000) == CELLS_45NM.wire_flip
    assert CELLS_45NM.changed(wire_um=0).wire_flip == pytest.approx(1.14 * 0.81 / 2000)


def test_figures_are_those_that_the_text_names() -> None:
    told = {"clock": 5.4, "register_flip": 3.6, "gate_flip": 1.2, "wire_flip": 4.5}
    assert {name: round(1000 * getattr(CELLS_45NM, name), 1) for name in told} == told


def test_words_of_16_bits_lie_between_those_of_8_and_32() -> None:
    assert 0.2 < CELLS_45NM.multiply < 3.1
    assert CELLS_45NM.multiply**2 == pytest.approx(0.2 * 3.1)
    assert CELLS_45NM.add**2 == pytest.approx(0.03 * 0.1)


def test_a_negative_cost_is_refused() -> None:
    with pytest.raises(ValueError, match="clock"):
        CELLS_45NM.changed(clock=-1)
