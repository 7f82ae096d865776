"""The synchronous design's cycles equal the stepper's, and the stepper computes what reuse means."""

from typing import Any

import pytest
import torch
from drawn_layers import Layer, by_position, dot, layers, raster
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.queue_stepper import step_queues
from oracle.stepper import Array, Stepped, step_dense, step_reuse

from mercuric.accelerator.dataflows.dot_product import TIMINGS, Pace, Timing, lone_cycles
from mercuric.accelerator.dataflows.row_stationary.cycles import baseline_cycles, cycles, signature_cycles
from mercuric.accelerator.dataflows.row_stationary.pe_sets import (
    block_lengths,
    block_owners,
    interleaved,
)
from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap
from mercuric.trace.work import Work


def array(layer: Layer, pipelined: bool) -> Array:
    return Array(layer.sets, pipelined, layer.accelerator.mac_unit)


def step_products(layer: Layer, timing: Timing) -> list[Stepped]:
    return [
        step_reuse(
            scope.vectors,
            layer.filters,
            scope.states,
            scope.representatives,
            array(layer, timing == "fair"),
            layer.accelerator.late_hits,
        )
        for scope in layer.scopes
    ]


def queued(layer: Layer) -> list[tuple[int, int]]:
    """What each scope waits for insertion queues, stepped."""
    capacity = layer.accelerator.insertion_queue
    if capacity is None:
        return [(0, 0)] * len(layer.scopes)
    elements, mac_unit = len(layer.filters[0][0]), layer.accelerator.mac_unit
    interval = elements if layer.accelerator.pipelined_signatures else elements + layer.rows - mac_unit
    order, rounds = by_position(layer.shape.vectors, layer.sets), []
    while order:
        together = min(layer.sets, len(order))
        rounds.append(order[:together])
        order = order[together:]
    return [
        step_queues([[scope.cache_sets[v] for v in one] for one in rounds], interval, capacity)
        for scope in layer.scopes
    ]


@given(layers(), st.sampled_from(TIMINGS))
@settings(max_examples=80, deadline=None)
def test_a_forward_product_equals_the_stepper(layer: Layer, timing: Timing) -> None:
    """Products, signatures, late HITs and queues together; the parts are those that the steppers name."""
    counted = cycles(layer.accelerator, layer.work, ["forward"])["forward"][timing]
    products = step_products(layer, timing)
    ready = step_products(layer.on(late_hits="ready"), timing)
    pipelined = layer.accelerator.pipelined_signatures
    signatures = [step_dense(s.vectors, layer.random_filters, array(layer, pipelined)) for s in layer.scopes]
    waits = sum(map(sum, queued(layer)))
    assert counted.product == sum(one.cycles for one in ready)
    assert counted.signature == sum(one.cycles for one in signatures)
    assert counted.product + counted.stall == sum(one.cycles for one in products) + waits


@given(layers(), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_a_backward_product_has_no_signatures(layer: Layer, timing: Timing) -> None:
    counted = cycles(layer.accelerator, layer.work, ["forward", "weight_gradient"])
    backward = counted["weight_gradient"][timing]
    assert backward.signature == 0
    assert backward.mercury == sum(one.cycles for one in step_products(layer, timing))
    assert backward.product == counted["forward"][timing].product


@given(layers(), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_the_stepper_computes_what_reuse_means(layer: Layer, timing: Timing) -> None:
    """A HIT has its representative's result, or its own where it was computed after all."""
    recompute = layer.accelerator.late_hits == "recompute"
    for scope, stepped in zip(layer.scopes, step_products(layer, timing), strict=True):
        for weights, outputs in zip(layer.filters, stepped.outputs, strict=True):
            own = [dot(vector, weights) for vector in scope.vectors]
            reused = [own[representative] for representative in scope.representatives]
            if recompute:
                assert all(out in pair for out, *pair in zip(outputs, own, reused, strict=True))
            else:
                assert outputs == reused
        if layer.accelerator.late_hits != "ready":
            assert stepped.early_hits == 0


@given(layers(least_vectors=0), st.sampled_from(TIMINGS))
@settings(max_examples=50, deadline=None)
def test_baseline_equals_the_stepper(layer: Layer, timing: Timing) -> None:
    stepped = [step_dense(s.vectors, layer.filters, array(layer, timing == "fair")) for s in layer.scopes]
    assert baseline_cycles(layer.accelerator, layer.shape, timing) == sum(one.cycles for one in stepped)
    assert [one.outputs for one in stepped] == [
        [[dot(vector, weights) for vector in scope.vectors] for weights in layer.filters]
        for scope in layer.scopes
    ]


@given(layers(least_vectors=0, scopes=1))
@settings(max_examples=50, deadline=None)
def test_signatures_equal_the_stepper(layer: Layer) -> None:
    """Signature bits are dot products with random filters (paper III-B1)."""
    (scope,), bits = layer.scopes, len(layer.random_filters)
    pipelined = layer.accelerator.pipelined_signatures
    stepped = step_dense(scope.vectors, layer.random_filters, array(layer, pipelined))
    assert signature_cycles(layer.accelerator, layer.shape, bits) == stepped.cycles


@given(
    states=st.integers(1, 30).flatmap(
        lambda vectors: st.lists(
            st.lists(st.integers(0, 2), min_size=vectors, max_size=vectors), min_size=1, max_size=4
        )
    ),
    rows=st.integers(1, 3),
    elements=st.integers(1, 4),
    timing=st.sampled_from(TIMINGS),
)
@settings(max_examples=60, deadline=None)
def test_scopes_add_up(states: list[list[int]], rows: int, elements: int, timing: Timing) -> None:
    accelerator = Accelerator(name="drawn", rows=rows, columns=3, clock_mhz=1, entries=None, ways=1)

    def count(some: list[list[int]]) -> int:
        shape = VectorShape(len(some), len(some[0]), rows, elements, filters=2)
        hitmap = Hitmap(torch.tensor(some, dtype=torch.uint8), torch.zeros(len(some), len(some[0])).long())
        return cycles(accelerator, Work(shape, hitmap), ["forward"])["forward"][timing].mercury

    assert count(states) == sum(count([one]) for one in states)


@pytest.mark.parametrize("mac_unit", [False, True])
@pytest.mark.parametrize("rows", range(1, 6))
@pytest.mark.parametrize("elements", range(1, 6))
@pytest.mark.parametrize("count", range(5))
def test_dot_products_of_one_pe_set(rows: int, elements: int, count: int, mac_unit: bool) -> None:
    window = [[1] * elements] * rows
    stepped = {
        pipelined: step_dense([window] * count, [window], Array(1, pipelined, mac_unit)).cycles
        for pipelined in (False, True)
    }
    assert stepped[False] == count * lone_cycles(rows, elements, mac_unit)
    assert stepped[True] == Pace.pipelined(rows, elements, mac_unit).stream(count)


@given(vectors=st.integers(0, 40), sets=st.integers(1, 12))
def test_vectors_arrive_a_head_of_each_block_in_turn(vectors: int, sets: int) -> None:
    assert interleaved(block_owners(vectors, sets)).tolist() == by_position(vectors, sets)
    assert sorted(by_position(vectors, sets)) == raster(vectors)
    assert block_lengths(vectors, sets).sum() == vectors


def work_with(representatives: list[int], **fields: Any) -> tuple[Accelerator, Work]:
    accelerator = Accelerator(
        name="drawn", rows=1, columns=2, clock_mhz=1, entries=4, ways=1, late_hits="wait", **fields
    )
    states = torch.tensor([[1, 2, 0, 1]], dtype=torch.uint8)
    hitmap = Hitmap(states, torch.tensor([representatives]))
    return accelerator, Work(VectorShape(1, 4, 1, 3, 1), hitmap, 4)


@pytest.mark.parametrize("wrong", [3, 1, 2, -1, 4])
def test_a_hit_must_come_after_a_vector_with_an_entry(wrong: int) -> None:
    accelerator, work = work_with([0, 1, wrong, 3])
    message = f"had {wrong} for the HIT 2 of scope 0, but must name a vector with an entry"
    with pytest.raises(ValueError, match=message):
        cycles(accelerator, work, ["forward"])


def test_who_comes_first_depends_on_the_order_of_arrival() -> None:
    """Blocks are 0, 1 and 2, 3: vector 3 arrives last in either order."""
    accelerator, work = work_with([0, 1, 0, 3], arrival="interleaved")
    assert cycles(accelerator, work, ["forward"])["forward"]["paper"].stall > 0
    with pytest.raises(ValueError, match="arrives before it"):
        cycles(accelerator, work_with([0, 1, 3, 3])[1], ["forward"])


def test_queues_need_to_know_the_cache_sets() -> None:
    accelerator, work = work_with([0, 1, 0, 3], insertion_queue=4)
    with pytest.raises(ValueError, match="cache_sets of the work was None, but insertion_queue=4"):
        cycles(accelerator, work, ["forward"])
    assert cycles(accelerator, work, ["weight_gradient"])
