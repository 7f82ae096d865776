"""The asynchronous circuit gives the Hitmap, results and cycles of its stepper and of the recurrence."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

pytest.importorskip("amaranth", reason="the extra rtl is not installed")

from asynchronous_cosimulation import Rows, Simulated, simulate
from asynchronous_layers import Layer, circuits, in_step, layers, recurrence, step
from circuit_bench import run
from circuit_scopes import Scope, dot, signatures

from mercuric.rtl.busy_map import BusyMap
from mercuric.rtl.parameters import Parameters
from mercuric.similarity.hitmap import HitState

SCOPES = 3


def simulated(one: Parameters, drawn: list[Layer], buffers: int = SCOPES) -> list[Simulated]:
    saved = [[in_step(one, scope) for scope in layer.scopes] if layer.saved else None for layer in drawn]
    scopes = [layer.scopes for layer in drawn]
    return simulate(one, buffers, list(zip(scopes, saved, strict=True)))


@given(circuits(), st.data())
@settings(max_examples=45)
def test_drawn_layers(one: Parameters, data: st.DataObject) -> None:
    """Signed ones and such with saved Hitmaps, with an input buffer for each scope: no wait for vectors."""
    drawn = data.draw(st.lists(layers(one), min_size=3, max_size=3))
    for layer, got in zip(drawn, simulated(one, drawn), strict=True):
        plain, hitmaps = step(one, layer)
        assert layer.saved or got.hitmaps() == hitmaps
        assert got.cycles == plain.cycles
        assert len(got.early) == plain.early_hits
        for task, outputs in enumerate(plain.outputs):
            for vector, word in enumerate(outputs):
                assert got.outputs[task][vector] == word or (task, vector) in got.early
        event(f"saved: {layer.saved}, in step: {hitmaps == [in_step(one, scope) for scope in layer.scopes]}")
        assert recurrence(one, layer) == (hitmaps, got.cycles)


@given(circuits(), st.data())
@settings(max_examples=150)
def test_the_recurrence_knows_who_signs_first(one: Parameters, data: st.DataObject) -> None:
    layer = data.draw(layers(one, saved=False))
    plain, hitmaps = step(one, layer)
    event(f"in step: {hitmaps == [in_step(one, scope) for scope in layer.scopes]}")
    assert recurrence(one, layer) == (hitmaps, plain.cycles)


@given(circuits(late_hits="wait"), st.integers(1, 2), st.data())
@settings(max_examples=15)
def test_input_buffers_that_are_filled_again(one: Parameters, buffers: int, data: st.DataObject) -> None:
    """Fewer buffers than scopes: later, and right results."""
    drawn = data.draw(st.lists(layers(one), min_size=2, max_size=2))
    for layer, got in zip(drawn, simulated(one, drawn, buffers), strict=True):
        plain, _ = step(one, layer)
        assert got.cycles >= plain.cycles
        assert not got.early
        assert got.outputs == plain.outputs


@given(
    circuits(late_hits="wait"), st.sampled_from([None, 1, 2]), st.sampled_from(["registers", "memory"]),
    st.none() | st.integers(1, 2), st.none() | st.integers(1, 2), st.integers(1, SCOPES), st.data(),
)  # fmt: skip
@settings(max_examples=36)
def test_few_ports(
    one: Parameters, ports: int | None, results: str, hitmap_ports: int | None, queue_ports: int | None,
    buffers: int, data: st.DataObject,
) -> None:  # fmt: skip
    """PE sets, cache sets and queues wait; each result is that of the Hitmap that was given or has come."""
    few = replace(
        one, ports=ports or (2 if results == "memory" else None), results=results, hitmap_ports=hitmap_ports,
        queue_ports=queue_ports,
    )  # fmt: skip
    drawn = data.draw(st.lists(layers(one), min_size=2, max_size=2))
    for layer, got in zip(drawn, simulated(few, drawn, buffers), strict=True):
        hitmaps = [in_step(one, scope) for scope in layer.scopes] if layer.saved else got.hitmaps()
        assert not got.early
        assert got.outputs == outputs(layer, hitmaps)
        if layer.saved:
            assert got.cycles >= step(one, layer)[0].cycles
        for scope, rows in zip(layer.scopes, hitmaps, strict=True):
            check_possible(one, scope, rows)


def outputs(layer: Layer, hitmaps: list[Rows]) -> list[list[int]]:
    """Results under a Hitmap, task by task."""
    return [
        [dot(scope.vectors[source], filter_) for source in representatives]
        for scope, (_, representatives) in zip(layer.scopes, hitmaps, strict=True)
        for filter_ in scope.filters
    ]


def check_possible(one: Parameters, scope: Scope, rows: Rows) -> None:
    """Some order in which these signatures come has this Hitmap."""
    signed, tags = signatures(scope), defaultdict[int, list[int]](list)
    vectors = list(zip(signed, *rows, strict=True))
    for signature, state, _ in vectors:
        if state == HitState.MAU:
            tags[signature % one.cache_sets].append(signature)
    for vector, (signature, state, source) in enumerate(vectors):
        own = tags[signature % one.cache_sets]
        assert len(set(own)) == len(own) <= one.ways
        if state == HitState.HIT:
            assert vectors[source] == (signature, HitState.MAU, source)
        else:
            assert source == vector
        if state == HitState.MNU:
            assert len(own) == one.ways and signature not in own


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
