"""The PE set of the circuit equals the stepper's of Fig. 8, result by result and cycle by cycle."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.pe_set_stepper import FilterResults, PipelinedPESet, PlainPESet

from mercuric.similarity.hitmap import HitState

pytest.importorskip("amaranth", reason="the extra rtl is not installed")

from circuit_bench import run

from mercuric.rtl.parameters import Parameters
from mercuric.rtl.pe_set import PESet

Window = list[list[int]]


def parameters(rows: int, columns: int, block: int, overlapped: bool, mac_unit: bool) -> Parameters:
    return Parameters(
        pe_rows=1, pe_columns=rows, kernel_rows=rows, kernel_columns=columns, block=block, bits=2,
        cache_sets=1, ways=1, mac_unit=mac_unit, overlapped_products=overlapped, overlapped_signatures=False,
    )  # fmt: skip


def simulate(one: Parameters, vectors: list[Window], weights: Window, cycles: int) -> dict[int, int]:
    """The results that leave, by cycle; every vector starts as soon as the set is free."""
    left = {}
    dut = PESet(one)

    async def bench(ctx):
        for slot, vector in enumerate(vectors):
            for column in range(one.kernel_columns):
                ctx.set(dut.write, 1)
                ctx.set(dut.write_slot, slot)
                ctx.set(dut.write_column, column)
                ctx.set(dut.write_words, [row[column] for row in vector])
                await ctx.tick()
        ctx.set(dut.write, 0)
        ctx.set(dut.overlap, one.overlapped_products)
        ctx.set(dut.weights, [word for row in weights for word in row])
        started = 0
        for cycle in range(1, cycles + 1):
            starts = started < len(vectors) and ctx.get(dut.free)
            ctx.set(dut.start, starts)
            ctx.set(dut.slot, started if starts else 0)
            started += starts
            if ctx.get(dut.leaves):
                left[cycle] = ctx.get(dut.sum)
            await ctx.tick()

    run(dut, bench)
    return left


def stepped(one: Parameters, vectors: list[Window], weights: Window) -> dict[int, int]:
    left = {}

    class Recorded(FilterResults):
        def compute(self, _vector: int, result: int, cycle: int) -> None:
            left[cycle] = result

    rows, mac_unit = one.kernel_rows, one.mac_unit
    pe_set = PipelinedPESet(rows, mac_unit) if one.overlapped_products else PlainPESet(mac_unit)
    states = [int(HitState.MNU)] * len(vectors)
    pe_set.load(dict(enumerate(vectors)), weights, Recorded(states, range(len(vectors))))
    cycle = 0
    while not pe_set.idle:
        cycle += 1
        pe_set.step(cycle)
    return left


@st.composite
def blocks(draw: st.DrawFn) -> tuple[Parameters, list[Window], Window]:
    rows, columns, block = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    row = st.lists(st.integers(-9, 9), min_size=columns, max_size=columns)
    window = st.lists(row, min_size=rows, max_size=rows)
    one = parameters(rows, columns, block, draw(st.booleans()), draw(st.booleans()))
    return one, draw(st.lists(window, min_size=block, max_size=block)), draw(window)


@given(blocks())
@settings(max_examples=45)
def test_results_leave_when_the_stepper_says(drawn: tuple[Parameters, list[Window], Window]) -> None:
    expected = stepped(*drawn)
    assert simulate(*drawn, cycles=max(expected) + 3) == expected


@pytest.mark.parametrize(("overlapped", "cycles"), [(False, [6, 12, 18]), (True, [7, 10, 13])])
def test_figure_8(overlapped: bool, cycles: list[int]) -> None:
    window = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    left = simulate(parameters(3, 3, 3, overlapped, False), [window] * 3, window, 20)
    assert left == dict.fromkeys(cycles, 285)
