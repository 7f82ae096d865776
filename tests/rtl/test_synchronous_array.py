"""The synchronous circuit gives the Hitmap, the results and the cycles of the steppers and the simulator."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.stepper import Array, step_dense

from mercuric.accelerator.dataflows.dot_product import TIMINGS
from mercuric.accelerator.dataflows.row_stationary.cycles import baseline_cycles, cycles
from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap
from mercuric.trace.work import Work

pytest.importorskip("amaranth", reason="the extra rtl is not installed")

from circuit_scopes import Scope, Window, expected, signatures
from cosimulation import Simulated, simulate
from plain_run import choosing

from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.synchronous_array import SynchronousArray

CIRCUITS = 8


@st.composite
def layers(draw: st.DrawFn, scopes: int = 2) -> tuple[Accelerator, VectorShape, str, list[Scope]]:
    of = choosing(draw, CIRCUITS)
    rows, columns, sets = of(range(1, 4)), of(range(1, 4)), of(range(1, 7))
    vectors, bits, ways = of(range(1, 10)), of(range(1, 5)), of(range(1, 4))
    accelerator = Accelerator(
        name="drawn",
        rows=1,
        columns=of(range(sets * rows, (sets + 1) * rows)),
        clock_mhz=1,
        entries=of(range(1, 5)) * ways,
        ways=ways,
        pipelined_signatures=of([False, True]),
        mac_unit=of([False, True]),
        arrival="interleaved",
        late_hits=of(["ready", "wait", "recompute"]),
        insertion_queue=of(range(1, 4)),
    )
    timing = of(TIMINGS)
    row = st.lists(st.integers(-9, 9), min_size=columns, max_size=columns)
    window = st.lists(row, min_size=rows, max_size=rows)
    random_filters = draw(st.lists(window, min_size=bits, max_size=bits))
    filters = draw(st.lists(window, min_size=1, max_size=3))
    few = draw(st.lists(window, min_size=1, max_size=5))
    scope = st.lists(st.sampled_from(few), min_size=vectors, max_size=vectors)
    drawn = [Scope(draw(scope), random_filters, filters) for _ in range(scopes)]
    shape = VectorShape(scopes, vectors, rows, columns, len(filters))
    return accelerator, shape, timing, drawn


def circuit(accelerator: Accelerator, shape: VectorShape, timing: str, scopes: list[Scope]) -> Parameters:
    return Parameters.of(accelerator, shape, len(scopes[0].random_filters), timing)


def hitmap(simulated: list[Simulated]) -> Hitmap:
    return Hitmap(
        torch.tensor([one.states for one in simulated], dtype=torch.uint8),
        torch.tensor([one.representatives for one in simulated]),
    )


@given(layers())
@settings(max_examples=45)
def test_a_drawn_layer(drawn: tuple[Accelerator, VectorShape, str, list[Scope]]) -> None:
    accelerator, shape, timing, scopes = drawn
    one = circuit(*drawn)
    simulated = simulate(one, scopes)
    for scope, got in zip(scopes, simulated, strict=True):
        plain = expected(one, scope)
        assert (got.states, got.representatives) == (plain.states, plain.representatives)
        assert (got.signature, got.queue, got.product) == (
            plain.signature, plain.queue, plain.products.cycles,
        )  # fmt: skip
        assert len(got.early) == plain.products.early_hits
        for number, outputs in enumerate(plain.products.outputs):
            for vector, word in enumerate(outputs):
                assert got.outputs[number][vector] == word or (number, vector) in got.early
    cache_sets = torch.tensor([signatures(scope) for scope in scopes]) % one.cache_sets
    work = Work(shape, hitmap(simulated), one.bits, cache_sets=cache_sets)
    counted = cycles(accelerator, work, ["forward"])["forward"][timing]
    assert counted.signature == sum(got.signature for got in simulated)
    assert counted.mercury == sum(got.signature + got.queue + got.product for got in simulated)


@given(layers())
@settings(max_examples=15)
def test_the_baseline(drawn: tuple[Accelerator, VectorShape, str, list[Scope]]) -> None:
    accelerator, shape, timing, scopes = drawn
    one = circuit(*drawn)
    simulated = simulate(one, scopes, BaselineArray)
    array = Array(one.sets, one.overlapped_products, one.mac_unit)
    plain = [step_dense(scope.vectors, scope.filters, array) for scope in scopes]
    assert [(got.product, got.outputs) for got in simulated] == [
        (each.cycles, each.outputs) for each in plain
    ]
    assert baseline_cycles(accelerator, shape, timing) == sum(got.product for got in simulated)


@given(layers(scopes=1), st.lists(st.booleans(), max_size=5))
@settings(max_examples=15)
def test_filters_that_come_late(
    drawn: tuple[Accelerator, VectorShape, str, list[Scope]], absent: list[bool]
) -> None:
    """The circuit stands still, counts no cycle, and goes on as if nothing had been."""
    one = circuit(*drawn)
    for kind in (SynchronousArray, BaselineArray):
        assert simulate(one, drawn[-1], kind, [*absent, False]) == simulate(one, drawn[-1], kind)


@given(layers(scopes=1), st.sampled_from([1, 2, 4]), st.sampled_from(["registers", "memory"]))
@settings(max_examples=25)
def test_few_ports(
    drawn: tuple[Accelerator, VectorShape, str, list[Scope]], ports: int, results: str
) -> None:
    """PE sets wait for each other, and the results stay what they are."""
    own = replace(circuit(*drawn), late_hits="wait")
    few_ports = replace(own, ports=ports, results=results)
    (many,), (few,) = simulate(own, drawn[-1]), simulate(few_ports, drawn[-1])
    assert (few.states, few.outputs, few.signature) == (many.states, many.outputs, many.signature)
    enough = own.sets == 1 or (results == "registers" and ports >= own.sets)
    assert few.product == many.product if enough else few.product >= many.product


@given(layers(), st.none() | st.integers(1, 2), st.none() | st.integers(1, 2))
@settings(max_examples=30)
def test_few_signatures_in_a_cycle(
    drawn: tuple[Accelerator, VectorShape, str, list[Scope]],
    hitmap_ports: int | None,
    queue_ports: int | None,
) -> None:
    """They wait, in queues and before them; what the MCACHE says of them stays, and so do the products."""
    own = circuit(*drawn)
    few_ports = replace(own, hitmap_ports=hitmap_ports, queue_ports=queue_ports)
    for many, few in zip(simulate(own, drawn[-1]), simulate(few_ports, drawn[-1]), strict=True):
        assert few.queue >= many.queue
        assert few.queue == many.queue or hitmap_ports or queue_ports
        assert few == replace(many, queue=few.queue)


def test_figure_10() -> None:
    """Two PE sets of three PEs with three vectors each; 1, 3 and 4 are alike, and so are 2 and 6."""
    first: Window = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    second, third = [[-word for word in row] for row in first], [row[::-1] for row in first]
    random_filters = [first, [[1, 0, -1]] * 3]
    scope = Scope([first, second, first, first, third, second], random_filters, [first, second])
    one = Parameters(
        pe_rows=3, pe_columns=2, kernel_rows=3, kernel_columns=3, block=3, bits=2, cache_sets=2, ways=2
    )
    (got,) = simulate(one, [scope])
    assert got.states == [1, 1, 0, 0, 1, 0]
    assert got.representatives == [0, 1, 0, 0, 4, 1]
    assert got.signature == 2 * 3 * 3 + 4
    assert got.outputs[0] == [285, -285, 285, 285, got.outputs[0][4], -285]
    # Vector 4 waits for 1 in the other set: (6 + 1) + 6 + 1 cycles a filter.
    assert got.product == 2 * 14
