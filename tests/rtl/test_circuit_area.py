"""The circuits hold the bits that the simulator's area counts, at the paper's size."""

import re
from dataclasses import replace

import pytest

pytest.importorskip("amaranth", reason="the extra rtl is not installed")

from amaranth.back import rtlil
from amaranth.lib.wiring import Component

from mercuric.accelerator.energy.area import AREA_45NM, chip_area
from mercuric.rtl.hitmap import Hitmap
from mercuric.rtl.insertion_queue import InsertionQueue
from mercuric.rtl.mcache_results import MCacheResults
from mercuric.rtl.mcache_set import MCacheSet
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.signature_table import SignatureTable

PAPER = Parameters(
    pe_rows=12, pe_columns=14, kernel_rows=12, kernel_columns=3, block=16, bits=20, cache_sets=64, ways=16,
    ports=1,
)  # fmt: skip
VECTORS = PAPER.sets * PAPER.block
_CELL = re.compile(r"^  cell (\$\S+) \S+\n(.*?)^  end$", re.MULTILINE | re.DOTALL)
_MEMORY = re.compile(r"memory width (\d+) size (\d+)")


def cells(component: Component, kind: str, parameter: str) -> list[int]:
    """A parameter of every cell of a kind."""
    text = rtlil.convert(component, emit_src=False)
    found = re.compile(rf"parameter (?:signed )?\\{parameter} (\d+)")
    bodies = [body for cell, body in _CELL.findall(text) if cell == kind]
    return [int(width[1]) for body in bodies if (width := found.search(body))]


def flip_flops(component: Component) -> int:
    return sum(cells(component, "$dff", "WIDTH"))


def held(component: Component) -> int:
    """Bits that the component's memories hold, whatever they are made of."""
    text = rtlil.convert(component, emit_src=False)
    return sum(int(width) * int(size) for width, size in _MEMORY.findall(text))


def circuits_area() -> dict[str, float]:
    """mm2 of MERCURY's structures: bits of the circuits, by Table I's memories, times the area table's."""
    one, table = PAPER, AREA_45NM
    tags, queue = MCacheSet(one), InsertionQueue(one, one.block)
    results, hitmap, signatures = MCacheResults(one), Hitmap(one), SignatureTable(one)
    compared = sum(width for width in cells(tags, "$eq", "A_WIDTH") if width == one.bits)
    square_um = {
        "MCACHE": table.register_bit
        * (one.cache_sets * flip_flops(tags) + flip_flops(results) + held(results))
        + table.compare_bit * one.cache_sets * compared,
        "Signature Table and Hitmap": one.sets
        * (
            table.sram_bit * held(signatures)
            + table.register_bit * (flip_flops(signatures) + held(hitmap) + flip_flops(hitmap))
        ),
        "insertion queues": table.register_bit * one.cache_sets * (held(queue) + flip_flops(queue)),
    }
    return {part: area / 1e6 for part, area in square_um.items()}


def simulators_area() -> dict[str, float]:
    area = chip_area(PAPER.accelerator(), VECTORS, PAPER.bits, results=1, mcaches=1)
    return {
        "MCACHE": area["MCACHE tags"] + area["MCACHE results"],
        "Signature Table and Hitmap": area["Signature Table"] + area["Hitmap"],
        "insertion queues": area["insertion queues"],
    }


def test_the_mcache_holds_what_the_area_counts() -> None:
    """To the bit: of each entry a tag with its comparator, VT, VD and a result."""
    assert circuits_area()["MCACHE"] == pytest.approx(simulators_area()["MCACHE"], rel=1e-9)


def test_what_is_beside_the_mcache_is_larger_in_the_circuit() -> None:
    """Entry ids stand in registers, and who waits in a queue says of which vector it is."""
    circuit, simulator = circuits_area(), simulators_area()
    assert 1 < circuit["Signature Table and Hitmap"] / simulator["Signature Table and Hitmap"] < 2.5
    assert 1 < circuit["insertion queues"] / simulator["insertion queues"] < 1.5
    assert sum(circuit.values()) / sum(simulator.values()) == pytest.approx(1.082, abs=0.005)


@pytest.mark.parametrize(("sets", "ways", "bits"), [(1, 1, 3), (3, 2, 20), (8, 5, 7)])
def test_mcaches_of_other_sizes_too(sets: int, ways: int, bits: int) -> None:
    one = replace(PAPER, cache_sets=sets, ways=ways, bits=bits)
    entries = sets * ways
    assert sets * flip_flops(MCacheSet(one)) == entries * (bits + 1)
    assert flip_flops(MCacheResults(one)) + held(MCacheResults(one)) == entries * (1 + one.word_bits)
