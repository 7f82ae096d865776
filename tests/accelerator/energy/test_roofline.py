from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.accelerator import preset
from mercuric.accelerator.dataflows.dot_product import TIMINGS
from mercuric.accelerator.energy.accesses import Accesses
from mercuric.accelerator.energy.layer_cost import Cost, layer_cost
from mercuric.accelerator.energy.roofline import Bound, bound, buffer_cycles, edge_words
from mercuric.reuse.vectors import VectorShape
from mercuric.trace.work import Work

LIKE = preset("eyeriss-like")
SMALL = st.integers(1, 40)


@st.composite
def shapes(draw: st.DrawFn) -> VectorShape:
    images, depth, groups = draw(st.integers(1, 3)), draw(st.integers(1, 5)), draw(st.integers(1, 2))
    return VectorShape(
        images * depth * groups, draw(SMALL), draw(st.integers(1, 5)), draw(SMALL), draw(SMALL), images, depth
    )


@settings(max_examples=60, deadline=None)
@given(
    shape=shapes(), rows=st.integers(1, 9), columns=st.integers(1, 9),
    dataflow=st.sampled_from(["weight", "input", "output"]),
)  # fmt: skip
def test_a_systolic_array_never_asks_for_more_than_its_edge_takes(
    shape: VectorShape, rows: int, columns: int, dataflow: str
) -> None:
    array = LIKE.changed(dataflow=dataflow, rows=rows, columns=columns)
    for timing, cost in layer_cost(array, Work(shape), training=False).items():
        dense = cost.baseline
        assert buffer_cycles(array, dense.accesses, dense.accesses) <= dense.cycles, timing
        assert dense.accesses.mac <= dense.cycles * array.pes


def test_the_edges_words_leave_out_what_the_dram_brings() -> None:
    assert edge_words(LIKE) == 12 + 2 * 14
    dense = Accesses(buffer=500, dram=100)
    assert buffer_cycles(LIKE, dense, dense) == 10
    # MERCURY's saved signatures cross to the DRAM and never were in the buffer.
    assert buffer_cycles(LIKE, Accesses(buffer=501, dram=300), dense) == 11


@pytest.mark.parametrize(
    ("cycles", "words", "dram_cycles", "expected"),
    [(9, 320, 7, "compute"), (8, 320, 8, "compute"), (7, 321, 8, "buffer"), (7, 280, 8, "DRAM")],
)
def test_who_needs_most_cycles_is_the_bound(
    cycles: int, words: int, dram_cycles: int, expected: Bound
) -> None:
    dense = Cost(Accesses(buffer=words + 50, dram=50), cycles=cycles, dram_cycles=dram_cycles)
    assert bound(LIKE, dense, dense) == expected


def test_a_narrow_dram_is_the_bound_and_an_unbounded_one_never() -> None:
    work = Work(VectorShape(8, 64, 3, 3, 16, depth=8, output_rows=8))
    for words, limited in ((0.001, True), (None, False)):
        array = LIKE.changed(dram_words_per_cycle=words)
        for timing in TIMINGS:
            dense = layer_cost(array, work)[timing].baseline
            assert (bound(array, dense, dense) == "DRAM") == limited
            assert bound(array, replace(dense, cycles=10**12), dense) == "compute"
