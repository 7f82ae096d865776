"""The asynchronous circuit gives the results and the cycles of its stepper and of the recurrence."""

import pytest
from drawn_layers import Layer, layers
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.asynchronous_stepper import step_asynchronous
from oracle.stepper import Array
from oracle.worker import SteppedScope

from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.dataflows.row_stationary.cycles import cycles

pytest.importorskip("amaranth", reason="the extra rtl is not installed")

from asynchronous_cosimulation import Simulated, simulate
from circuit_bench import run
from circuit_scopes import Scope

from mercuric.rtl.busy_map import BusyMap
from mercuric.rtl.parameters import Parameters


def circuit(layer: Layer, timing: Timing) -> Parameters:
    return Parameters.of(layer.accelerator, layer.shape, len(layer.random_filters), timing)


def simulated(layer: Layer, timing: Timing, buffers: int) -> Simulated:
    scopes = [Scope(scope.vectors, [], layer.filters) for scope in layer.scopes]
    hitmaps = [(scope.states, scope.representatives) for scope in layer.scopes]
    return simulate(circuit(layer, timing), buffers, scopes, hitmaps)


@given(layers(scopes=3, vectors=8), st.sampled_from(TIMINGS))
@settings(max_examples=45)
def test_a_backward_product(drawn: Layer, timing: Timing) -> None:
    """Saved Hitmaps, and an input buffer for each scope, so that nothing waits for vectors."""
    layer = drawn.on(design="asynchronous", insertion_queue=1)
    got = simulated(layer, timing, len(layer.scopes))
    plain = step_asynchronous(
        [SteppedScope(scope.vectors, scope.states, scope.representatives) for scope in layer.scopes],
        layer.filters,
        [],
        Array(layer.sets, timing == "fair", layer.accelerator.mac_unit),
        pipelined_signatures=True,
        versions=layer.accelerator.versions,
        late_hits=layer.accelerator.late_hits,
    )
    counted = cycles(layer.accelerator, layer.work, ["weight_gradient"])["weight_gradient"][timing]
    assert got.cycles == plain.cycles == counted.mercury
    assert len(got.early) == plain.early_hits
    for task, outputs in enumerate(plain.outputs):
        for vector, word in enumerate(outputs):
            assert got.outputs[task][vector] == word or (task, vector) in got.early


@given(layers(scopes=3, vectors=6), st.sampled_from(TIMINGS))
@settings(max_examples=15)
def test_input_buffers_that_are_filled_again(drawn: Layer, timing: Timing) -> None:
    """One buffer for all scopes: later, and the same results."""
    layer = drawn.on(design="asynchronous", insertion_queue=1, late_hits="wait")
    one, many = simulated(layer, timing, 1), simulated(layer, timing, len(layer.scopes))
    assert one.outputs == many.outputs
    assert one.cycles >= many.cycles
    assert not one.early | many.early


def test_a_buffer_is_free_when_the_last_set_has_finished() -> None:
    dut = BusyMap(
        Parameters(
            pe_rows=1, pe_columns=3, kernel_rows=1, kernel_columns=1, block=1, bits=1, cache_sets=1, ways=1,
            versions=2,
        )
    )  # fmt: skip

    async def bench(ctx):
        ctx.set(dut.members, 0b101)  # the second set has no vectors
        ctx.set(dut.load, 0b10)
        assert ctx.get(dut.free) == 0b11
        await ctx.tick()
        ctx.set(dut.load, 0)
        for pe_set, free in ((2, 0b01), (0, 0b11)):
            assert ctx.get(dut.free) == 0b01
            for each in range(3):
                ctx.set(dut.finished[each], {"valid": each == pe_set, "version": 1})
            assert ctx.get(dut.free) == free
            await ctx.tick()
        ctx.set(dut.finished[0], {"valid": 0, "version": 1})
        assert ctx.get(dut.free) == 0b11

    run(dut, bench)
