"""Rows dealt to PE sets, as Eyeriss maps them: closed forms and recurrence equal the stepper."""

from dataclasses import replace

import pytest
from drawn_layers import Scope, Window, dot
from drawn_rows import DESIGNS, RowLayer, array_of, in_step, row_layers, sets_of
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.queue_stepper import step_queues
from oracle.row_stepper import SteppedRows, step_rows
from oracle.worker import SteppedScope

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.dataflows.row_stationary.asynchronous import AsynchronousProduct
from mercuric.accelerator.dataflows.row_stationary.cycles import cycles, product_pace, signature_pace
from mercuric.accelerator.dataflows.row_stationary.dealing import (
    Tasks,
    deal,
    mcaches_held,
    most_results,
    results_held,
)
from mercuric.accelerator.dataflows.row_stationary.late_hits import Turns
from mercuric.accelerator.hardware import preset


def waits(layer: RowLayer, scope: Scope) -> tuple[int, int]:
    capacity, shape = layer.accelerator.insertion_queue, layer.shape
    if capacity is None:
        return 0, 0
    rounds = in_step(shape.vectors, layer.output_rows, sets_of(layer.accelerator, shape.rows))
    asked = [[scope.cache_sets[vector] for vector in one] for one in rounds]
    return step_queues(asked, signature_pace(layer.accelerator, shape).interval, capacity)


def step(layer: RowLayer, timing: Timing, *, signed: bool, dense: bool = False) -> SteppedRows:
    array, apart = layer.accelerator, layer.accelerator.design == "asynchronous"
    groups = [
        [SteppedScope(s.vectors, s.states, s.representatives, s.cache_sets) for s in group]
        for group in layer.groups
    ]
    return step_rows(
        groups,
        layer.filters,
        layer.random_filters if signed else [],
        array_of(array, layer.shape.rows, layer.output_rows, timing),
        versions=array.versions if apart else None,
        late_hits=array.late_hits,
        queue=array.insertion_queue,
        dense=dense,
    )


def count(layer: RowLayer, timing: Timing) -> tuple[Cycles, Cycles]:
    counted = cycles(layer.accelerator, layer.work, ["forward", "weight_gradient"])
    return counted["forward"][timing], counted["weight_gradient"][timing]


@given(row_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=120, deadline=None)
def test_both_designs_and_products_equal_the_stepper(layer: RowLayer, timing: Timing) -> None:
    forward, backward = count(layer, timing)
    queued = sum(sum(waits(layer, scope)) for scope in layer.scopes)
    queued = queued if layer.accelerator.design == "synchronous" else 0
    assert forward.mercury == step(layer, timing, signed=True).cycles + queued
    assert backward.mercury == step(layer, timing, signed=False).cycles
    assert forward.baseline == backward.baseline == step(layer, timing, signed=False, dense=True).cycles


@given(row_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_the_parts_are_what_each_adds(layer: RowLayer, timing: Timing) -> None:
    forward, backward = count(layer, timing)
    plain = layer.on(late_hits="ready", insertion_queue=None)
    assert forward.product == backward.product == step(plain, timing, signed=False).cycles
    assert forward.product + forward.signature == step(plain, timing, signed=True).cycles
    assert min(forward.signature, forward.stall, backward.stall) >= 0


@given(row_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_a_hit_has_its_representatives_result(layer: RowLayer, timing: Timing) -> None:
    layer = layer.on(late_hits="wait" if layer.accelerator.late_hits == "recompute" else "ready")
    stepped = step(layer, timing, signed=True)
    expected = [
        [dot(scope.vectors[source], weights) for source in scope.representatives]
        for group in layer.groups
        for scope in group
        for weights in layer.filters
    ]
    assert stepped.outputs == expected


@given(row_layers(filters=8), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_an_entry_has_room_for_the_filters_under_way(layer: RowLayer, timing: Timing) -> None:
    array = layer.accelerator
    held, mcaches = results_held(array, layer.shape), mcaches_held(array, layer.shape)
    assert step(layer, timing, signed=True).results <= held <= array.pes * array.results
    if layer.output_rows >= array.columns:  # what an array is built with that knows no layer
        assert held <= most_results(array)
        assert mcaches <= mcaches_held(array, None)


@given(row_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_the_definition(layer: RowLayer, timing: Timing) -> None:
    work, accelerator, shape = layer.work, layer.accelerator, layer.shape
    tasks, turns = Tasks.of(accelerator, shape), Turns.of(accelerator, work)
    pace, signature = product_pace(accelerator, shape, timing), signature_pace(accelerator, shape)
    product = AsynchronousProduct(
        tasks.misses(work.hitmap.states, shape.filters), tasks.everywhere(tasks.lengths), tasks.number,
        tasks.buffers, pace,
    )  # fmt: skip
    for bits in (0, work.bits):
        random = deal(accelerator, replace(shape, filters=bits)).products[: len(tasks.lengths)]
        signing = tasks.everywhere(random)
        defined, _ = product.by_definition(signing, signature, None, turns)
        assert product.cycles(signing, signature, None, turns) == defined
    if turns is not None:
        assert turns.slowest(pace).tolist() == turns.slowest_by_definition(pace)


@given(row_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=40, deadline=None)
def test_nobody_is_slower_for_not_waiting_or_for_more_results(layer: RowLayer, timing: Timing) -> None:
    layer = layer.on(late_hits="ready")
    together, apart = (count(layer.on(design=design), timing) for design in DESIGNS)
    assert apart[0].mercury <= together[0].mercury
    assert apart[1].mercury <= together[1].mercury
    fewer = layer.on(design="synchronous", replicas=1)
    assert together[1].mercury <= count(fewer, timing)[1].mercury


def of_eyeriss(side: int, window: int, filters: int) -> RowLayer:
    """One scope of a square output on the preset's array, every second vector a HIT, three bits."""

    def drawn(seed: int) -> Window:
        return [
            [(7 * row + 3 * element + seed) % 5 - 2 for element in range(window)] for row in range(window)
        ]

    count = side**2
    states, representatives = [1 - one % 2 for one in range(count)], [one // 2 * 2 for one in range(count)]
    scope = Scope([drawn(one) for one in range(count)], states, representatives, [0] * count)
    bits = [drawn(one) for one in range(3)]
    return RowLayer(preset("eyeriss-168"), [scope], [drawn(one) for one in range(filters)], bits, side, 1)


@pytest.mark.parametrize(("side", "window", "filters"), [(13, 3, 9), (14, 3, 8), (27, 5, 2), (60, 3, 1)])
@pytest.mark.parametrize("timing", TIMINGS)
def test_the_published_array_equals_the_stepper(side: int, window: int, filters: int, timing: Timing) -> None:
    """Of 12 x 14 PEs: copies side by side, the last round of which isn't full; one copy; folded rows."""
    layer = of_eyeriss(side, window, filters)
    forward, backward = count(layer, timing)
    assert forward.mercury == step(layer, timing, signed=True).cycles
    assert backward.mercury == step(layer, timing, signed=False).cycles
    assert forward.baseline == step(layer, timing, signed=False, dense=True).cycles
