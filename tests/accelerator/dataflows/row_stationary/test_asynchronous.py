"""The asynchronous design's cycles equal the stepper's, the definition's, and keep their bounds."""

from dataclasses import replace

import numpy as np
import torch
from drawn_layers import Layer, layers, raster
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle.asynchronous_stepper import SteppedScope, step_asynchronous
from oracle.stepper import Array, Stepped
from test_closed_forms import step_products

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Pace, Timing
from mercuric.accelerator.dataflows.row_stationary.asynchronous import AsynchronousProduct
from mercuric.accelerator.dataflows.row_stationary.cycles import cycles, product_pace, signature_pace
from mercuric.accelerator.dataflows.row_stationary.late_hits import Turns
from mercuric.accelerator.dataflows.row_stationary.pe_sets import (
    block_lengths,
    block_owners,
    misses_of_sets,
)
from mercuric.accelerator.dataflows.row_stationary.signature_queues import SignatureQueues
from mercuric.accelerator.dataflows.row_stationary.synchronous import SynchronousProduct
from mercuric.similarity import Hitmap


def step(layer: Layer, timing: Timing, signed: bool) -> Stepped:
    scopes = [SteppedScope(s.vectors, s.states, s.representatives, s.cache_sets) for s in layer.scopes]
    return step_asynchronous(
        scopes,
        layer.filters,
        layer.random_filters if signed else [],
        Array(layer.sets, timing == "fair", layer.accelerator.mac_unit),
        pipelined_signatures=layer.accelerator.pipelined_signatures,
        versions=layer.accelerator.versions,
        late_hits=layer.accelerator.late_hits,
        queue=layer.accelerator.insertion_queue,
    )


def count(layer: Layer, timing: Timing) -> tuple[Cycles, Cycles]:
    """The forward product with its signatures, and a backward one."""
    counted = cycles(
        layer.accelerator.changed(design="asynchronous"), layer.work, ["forward", "weight_gradient"]
    )
    return counted["forward"][timing], counted["weight_gradient"][timing]


@given(layers(), st.sampled_from(TIMINGS))
@settings(max_examples=80, deadline=None)
def test_both_products_equal_the_stepper(layer: Layer, timing: Timing) -> None:
    forward, backward = count(layer, timing)
    assert forward.mercury == step(layer, timing, signed=True).cycles
    assert backward.mercury == step(layer, timing, signed=False).cycles


@given(layers(), st.sampled_from(TIMINGS))
@settings(max_examples=40, deadline=None)
def test_the_baseline_is_what_sets_take_that_multiply_everything_and_never_wait(
    layer: Layer, timing: Timing
) -> None:
    every = [2] * layer.shape.vectors
    dense = [replace(scope, states=every, representatives=raster(len(every))) for scope in layer.scopes]
    unlimited = Layer(layer.accelerator, dense, layer.filters, []).on(versions=10**6, late_hits="ready")
    forward, backward = count(layer, timing)
    assert forward.baseline == backward.baseline == step(unlimited, timing, signed=False).cycles


@given(layers(), st.sampled_from(TIMINGS))
@settings(max_examples=40, deadline=None)
def test_the_parts_are_what_each_adds(layer: Layer, timing: Timing) -> None:
    forward, backward = count(layer, timing)
    plain = layer.on(late_hits="ready", insertion_queue=None)
    assert forward.product == backward.product == step(plain, timing, signed=False).cycles
    assert forward.product + forward.signature == step(plain, timing, signed=True).cycles
    assert min(forward.signature, forward.stall, backward.stall) >= 0


@given(layers(), st.sampled_from(TIMINGS))
@settings(max_examples=40, deadline=None)
def test_results_are_those_of_the_synchronous_design(layer: Layer, timing: Timing) -> None:
    """Whoever reads an entry finds its filter's version."""
    assume(layer.accelerator.late_hits != "recompute")
    synchronous = [outputs for one in step_products(layer, timing) for outputs in one.outputs]
    assert step(layer, timing, signed=True).outputs == synchronous


@given(layers(vectors=30, filters=6), st.sampled_from(TIMINGS))
@settings(max_examples=40, deadline=None)
def test_the_definition(layer: Layer, timing: Timing) -> None:
    work, accelerator = layer.work, layer.accelerator
    assert work.hitmap is not None
    assert work.cache_sets is not None
    turns = Turns.of(accelerator, work)
    pace, signature = product_pace(accelerator, work.shape, timing), signature_pace(accelerator, work.shape)
    lengths = block_lengths(work.shape.vectors, layer.sets)
    queues, capacity = None, accelerator.insertion_queue
    if capacity is not None:
        queues = SignatureQueues(work.cache_sets.numpy(), lengths, signature.interval, capacity)
    misses = misses_of_sets(work.hitmap.states, block_owners(work.shape.vectors, layer.sets))
    product = AsynchronousProduct(misses, lengths, work.shape.filters, accelerator.versions, pace)
    for bits, asked in ((0, None), (work.bits, queues)):
        defined, _ = product.by_definition(bits * lengths, signature, asked, turns)
        assert product.cycles(bits * lengths, signature, asked, turns) == defined
    if turns is not None:
        assert turns.slowest(pace).tolist() == turns.slowest_by_definition(pace)


@given(layers(scopes=5, vectors=20, filters=6), st.sampled_from(TIMINGS))
@settings(max_examples=40, deadline=None)
def test_nobody_is_slower_for_not_waiting(layer: Layer, timing: Timing) -> None:
    """Each synchronous schedule is one that the asynchronous rules allow, and starts are never later."""
    assume(layer.accelerator.late_hits != "recompute")
    synchronous = cycles(layer.accelerator, layer.work, ["forward"])["forward"][timing]
    assert count(layer, timing)[0].mercury <= synchronous.mercury


@given(layers(scopes=5, vectors=20, filters=6), st.sampled_from(TIMINGS))
@settings(max_examples=40, deadline=None)
def test_more_filter_buffers_are_never_slower(layer: Layer, timing: Timing) -> None:
    assume(layer.accelerator.late_hits != "recompute")
    more = layer.on(versions=layer.accelerator.versions + 1)
    for fewer_cycles, more_cycles in zip(count(layer, timing), count(more, timing), strict=True):
        assert more_cycles.mercury <= fewer_cycles.mercury


@given(layers(scopes=5, vectors=20, filters=6), st.sampled_from(TIMINGS))
@settings(max_examples=40, deadline=None)
def test_waiting_costs_no_less_than_results_that_are_ready(layer: Layer, timing: Timing) -> None:
    ready = layer.on(late_hits="ready")
    for design in (layer, ready):
        assert count(design, timing)[0].stall >= 0
    waiting = count(layer.on(late_hits="wait"), timing)[0].mercury
    assert waiting >= count(ready, timing)[0].mercury


@given(layers(scopes=5, vectors=20, filters=6))
@settings(max_examples=40, deadline=None)
def test_with_a_buffer_for_every_filter_a_set_waits_for_nobody(layer: Layer) -> None:
    """A backward product then takes the longest of the sets' own sums."""
    free = layer.on(versions=100, late_hits="ready")
    shape = layer.shape
    misses = misses_of_sets(layer.work.hitmap.states, block_owners(shape.vectors, layer.sets))
    interval = product_pace(layer.accelerator, shape, "paper").interval
    own = misses * interval + block_lengths(shape.vectors, layer.sets) - misses
    assert count(free, "paper")[1].mercury == shape.filters * own.sum(axis=0).max()


def test_one_buffer_is_the_synchronous_design_without_signatures() -> None:
    """Blocks of 2 with 2, 1 and 0 misses, then 0, 1 and 2: the slowest takes 12 in either scope."""
    misses = np.array([[2, 1, 0], [0, 1, 2]])
    lengths = np.array([2, 2, 2])

    def taken(versions: int) -> int:
        return AsynchronousProduct(misses, lengths, 3, versions, Pace(6, 0)).cycles()

    assert taken(1) == 2 * 3 * 12
    assert taken(6) == 3 * (12 + 2)


def test_the_next_scope_signs_before_this_one_multiplies() -> None:
    """By hand: two scopes, two equal sets of one vector, 2 bits of 3 cycles, a filter of 6, a drain of 4.

    Signatures of scope 0 leave in cycle 10, those of scope 1 in 16, and then 6 cycles a product.
    """
    lengths = np.ones(2, np.int64)
    product = AsynchronousProduct(np.ones((2, 2), np.int64), lengths, 1, 4, Pace(6, 0))
    assert product.cycles(2 * lengths, Pace(3, 4)) == 16 + 6 + 6


def test_recomputing_may_lose_what_running_ahead_wins() -> None:
    """A set that runs ahead finds fewer results, and computes what it would have read a little later."""
    states = torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0]], dtype=torch.uint8)
    hitmap = Hitmap(states, torch.tensor([[0, 1, 2, 2], [0, 0, 0, 0]]))
    lengths = np.array([2, 2])
    owners = block_owners(4, 2)
    turns = Turns.checked(hitmap, owners, np.arange(2)[:, None], np.arange(4), recompute=True)
    misses = misses_of_sets(states, owners)

    def taken(versions: int) -> int:
        return AsynchronousProduct(misses, lengths, 3, versions, Pace(6, 0)).cycles(turns=turns)

    assert (taken(1), taken(2)) == (57, 60)
    assert SynchronousProduct(misses, lengths, 3, Pace(6, 0)).cycles(turns) == 57
