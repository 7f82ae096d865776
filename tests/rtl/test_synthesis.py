"""What Yosys makes of a small array is what the array was made of."""

import re
from dataclasses import replace
from functools import cache

import pytest

pytest.importorskip("amaranth", reason="the extra rtl is not installed")
pytest.importorskip("pyosys", reason="the extra rtl is not installed")

from amaranth.back import rtlil

from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.rtl.synthesis import Resources, Synthesis, synthesize
from mercuric.rtl.yosys import OutOfTime

SMALL = Parameters(
    pe_rows=2, pe_columns=3, kernel_rows=2, kernel_columns=2, block=4, bits=6, cache_sets=2, ways=2, queue=2,
    results="memory", ports=1, hitmap_ports=1, queue_ports=1, mac_unit=True,
)  # fmt: skip


@cache
def synthesized() -> Synthesis:
    return synthesize(SynchronousArray(SMALL))


def test_multipliers_and_registers() -> None:
    found, registers = synthesized(), {}
    for name, share in found.components.items():
        registers[name] = share.resources.registers
    assert found.total.dsps == found.components["multiplier"].resources.dsps == SMALL.pes
    assert registers["filter buffer"] == SMALL.kernel_rows * SMALL.kernel_columns * SMALL.word_bits
    assert registers["MCACHE set"] == SMALL.entries * (SMALL.bits + 1)
    assert registers["MCACHE results: VD, arbiters"] == SMALL.entries
    text = rtlil.convert(SynchronousArray(SMALL), emit_src=False)
    described = sum(map(int, re.findall(r"cell \$dff .*\n    parameter \\WIDTH (\d+)", text)))
    assert 0.8 * described < found.total.registers <= described  # without those that nobody reads


def test_components() -> None:
    found = synthesized()
    assert sum((share.resources for share in found.components.values()), Resources()) == found.total
    instances = {name: share.instances for name, share in found.components.items()}
    assert instances["processing element"] == instances["multiplier"] == SMALL.pes
    assert instances["PE set"] == instances["Hitmap"] == instances["turns"] == SMALL.sets
    assert instances["MCACHE set"] == instances["insertion queue"] == SMALL.cache_sets
    assert instances["array"] == instances["controller"] == 1


def test_the_baseline_is_smaller_and_less_deep() -> None:
    baseline, mercury = synthesize(BaselineArray(replace(SMALL, pe_columns=1))), synthesized()
    assert baseline.total.dsps == 2
    assert 0 < baseline.total.luts < mercury.total.luts / 3
    assert baseline.depth < mercury.depth < 50


def test_the_time_limit() -> None:
    with pytest.raises(OutOfTime, match=r"synthesize the circuit and was not done in 0\.5 s"):
        synthesize(SynchronousArray(SMALL), time_limit=0.5)
