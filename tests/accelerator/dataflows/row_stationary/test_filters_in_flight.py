"""Products dealt some filters at a time, and misses from a queue: closed forms equal the steppers."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from drawn_layers import Layer, dot, layers
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle.miss_stepper import step_misses
from oracle.product_stepper import SteppedProducts, step_products
from oracle.stepper import Array
from oracle.worker import SteppedScope

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.dataflows.row_stationary.asynchronous import AsynchronousProduct
from mercuric.accelerator.dataflows.row_stationary.cycles import (
    baseline_cycles,
    cycles,
    product_pace,
    signature_pace,
)
from mercuric.accelerator.dataflows.row_stationary.dealing import (
    Tasks,
    deal,
    most_results,
    results_held,
)
from mercuric.accelerator.dataflows.row_stationary.late_hits import Turns
from mercuric.accelerator.energy.accesses import reuse_accesses
from mercuric.accelerator.energy.area import chip_area
from mercuric.accelerator.energy.layer_cost import layer_cost
from mercuric.accelerator.energy.operands import operands
from mercuric.accelerator.hardware import Design, preset
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap
from mercuric.trace.work import Work

DESIGNS: tuple[Design, ...] = ("synchronous", "asynchronous")
FREE: dict[str, Any] = {"arrival": "raster", "insertion_queue": None, "versions": 4}


@st.composite
def grouped_layers(draw: st.DrawFn, scopes: int = 3, vectors: int = 9, filters: int = 7) -> Layer:
    layer = draw(layers(scopes, 1, vectors, filters).filter(lambda one: one.accelerator.arrival == "raster"))
    return layer.on(
        **FREE,
        design=draw(st.sampled_from(DESIGNS)),
        dealing=draw(st.sampled_from(["products", "misses"])),
        filters_in_flight=draw(st.integers(1, filters + 2)),
    )


def step(layer: Layer, timing: Timing, *, signed: bool, dense: bool = False) -> SteppedProducts:
    array = layer.accelerator
    stepped: dict[str, Any] = {
        "pipelined_signatures": array.pipelined_signatures,
        "design": array.design,
        "late_hits": array.late_hits,
        "in_flight": array.filters_in_flight,
    }
    given_layer = (
        [SteppedScope(scope.vectors, scope.states, scope.representatives) for scope in layer.scopes],
        layer.filters,
        layer.random_filters if signed else [],
        Array(layer.sets, timing == "fair", array.mac_unit),
    )
    if array.dealing == "misses" and not dense:
        return step_misses(*given_layer, **stepped)
    return step_products(*given_layer, **stepped, dense=dense)


def count(layer: Layer, timing: Timing) -> tuple[Cycles, Cycles]:
    counted = cycles(layer.accelerator, layer.work, ["forward", "weight_gradient"])
    return counted["forward"][timing], counted["weight_gradient"][timing]


@given(grouped_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=150, deadline=None)
def test_both_designs_and_products_equal_the_stepper(layer: Layer, timing: Timing) -> None:
    forward, backward = count(layer, timing)
    assert backward.mercury == step(layer, timing, signed=False).cycles
    assert forward.mercury == step(layer, timing, signed=True).cycles
    assert forward.baseline == backward.baseline == step(layer, timing, signed=False, dense=True).cycles


@given(grouped_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=80, deadline=None)
def test_the_parts_are_what_each_adds(layer: Layer, timing: Timing) -> None:
    forward, backward = count(layer, timing)
    ready = layer.on(late_hits="ready")
    assert forward.product == backward.product == step(ready, timing, signed=False).cycles
    assert forward.product + forward.signature == step(ready, timing, signed=True).cycles
    if layer.accelerator.late_hits == "wait":
        assert min(forward.stall, backward.stall) >= 0


@given(grouped_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_a_hit_has_its_representatives_result_whoever_computes_it(layer: Layer, timing: Timing) -> None:
    layer = layer.on(late_hits="wait" if layer.accelerator.late_hits == "wait" else "ready")
    expected = [
        [dot(scope.vectors[source], weights) for source in scope.representatives]
        for scope in layer.scopes
        for weights in layer.filters
    ]
    assert step(layer, timing, signed=True).outputs == expected


@given(grouped_layers(filters=9), st.sampled_from(TIMINGS))
@settings(max_examples=80, deadline=None)
def test_an_entry_has_room_for_the_filters_under_way(layer: Layer, timing: Timing) -> None:
    held = results_held(layer.accelerator, layer.shape)
    assert step(layer, timing, signed=True).under_way <= held <= most_results(layer.accelerator)


@given(grouped_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_the_definition(layer: Layer, timing: Timing) -> None:
    work, accelerator, shape = layer.work, layer.accelerator, layer.shape
    tasks, turns = Tasks.of(accelerator, shape), Turns.of(accelerator, work)
    pace, signature = product_pace(accelerator, shape, timing), signature_pace(accelerator, shape)
    each, last = tasks.filters
    fewer = deal(accelerator, replace(shape, filters=last)).products
    product = AsynchronousProduct(
        tasks.misses(work.hitmap.states, each), tasks.lengths, tasks.number, tasks.buffers, pace,
        (tasks.misses(work.hitmap.states, last), fewer), tasks.queued,
    )  # fmt: skip
    for bits in (0, work.bits):
        random = deal(accelerator, replace(shape, filters=bits)).products
        defined, _ = product.by_definition(random, signature, None, turns)
        assert product.cycles(random, signature, None, turns) == defined
    if turns is not None:
        assert turns.slowest(pace).tolist() == turns.slowest_by_definition(pace)


@given(grouped_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_all_filters_in_flight_are_products_as_before(layer: Layer, timing: Timing) -> None:
    whole = layer.on(filters_in_flight=None)
    assert count(layer.on(filters_in_flight=len(layer.filters)), timing) == count(whole, timing)


@given(grouped_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_one_filter_in_flight_is_vectors_dealt(layer: Layer, timing: Timing) -> None:
    one = layer.on(dealing="products", filters_in_flight=1, design="synchronous")
    vectors = one.on(dealing="vectors", filters_in_flight=None)
    (_, grouped), (_, dealt) = count(one, timing), count(vectors, timing)
    assert (grouped.product, grouped.stall) == (dealt.product, dealt.stall)
    assert grouped.baseline <= dealt.baseline


@given(grouped_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_no_dealing_beats_misses_divided_evenly(layer: Layer, timing: Timing) -> None:
    assume(layer.accelerator.late_hits != "recompute")
    misses = layer.on(dealing="misses", filters_in_flight=None, late_hits="ready", design="synchronous")
    bound = count(misses, timing)[1].product
    others: list[dict[str, Any]] = [
        {"dealing": "products"},
        {"dealing": "products", "filters_in_flight": 1},
        {"dealing": "vectors"},
    ]
    assert all(bound <= count(misses.on(**fields), timing)[1].product for fields in others)


def test_a_layer_by_hand() -> None:
    """Two sets, three vectors of which the last hits, three filters of three elements, two in flight.

    Products, paper timing: pairs m m h | m m h in 9 cycles, then m m | h in 8. From a queue: four misses in
    two rounds of 4 and two HITs in one cycle, then two misses in 4 and a HIT in 1.
    """
    array = preset("eyeriss-168").changed(rows=1, columns=2, dealing="products", filters_in_flight=2)
    hitmap = Hitmap(torch.tensor([[1, 1, 0]], dtype=torch.uint8), torch.tensor([[0, 1, 1]]))
    work = Work(VectorShape(1, 3, 1, 3, 3), hitmap)
    queued = array.changed(dealing="misses")
    assert cycles(array, work, ["forward"])["forward"]["paper"] == Cycles(5 * 4, 9 + 8)
    assert cycles(queued, work, ["forward"])["forward"]["paper"] == Cycles(5 * 4, 9 + 5)
    assert results_held(array, work.shape) == results_held(queued, work.shape) == 2
    assert baseline_cycles(array, work.shape, "paper") == 20


def spent(layer: Layer, **fields: Any) -> tuple[float, float]:
    counted = layer_cost(layer.on(word_bits=16, **fields).accelerator, layer.work)["fair"]
    return counted.baseline.total, counted.mercury.total


@given(grouped_layers(filters=12))
@settings(max_examples=40, deadline=None)
def test_energy_follows_the_filters_in_flight(layer: Layer) -> None:
    """A read of an entry of fewer results costs no more; the baseline keeps none."""
    whole, all_of_them = (spent(layer, filters_in_flight=one) for one in (None, len(layer.filters)))
    assert whole == all_of_them
    assert spent(layer, filters_in_flight=1)[0] == whole[0]


def test_a_queue_pays_for_its_crossbar_and_its_vectors() -> None:
    shape = VectorShape(1, 64, 3, 3, 32)
    states = (torch.arange(64)[None] % 16 != 15).to(torch.uint8)
    work = Work(shape, Hitmap(states, torch.arange(64)[None] - (states == 0).long()), bits=20)
    products = preset("eyeriss-168").changed(dealing="products", filters_in_flight=8)
    queued = products.changed(dealing="misses")
    both = [
        reuse_accesses(one, work, operands(shape, inputs=100, fresh=1), "forward", training=True)
        for one in (products, queued)
    ]
    read_and_stored = (4 + 60) * 32
    assert both[0].mcache_data == both[1].mcache_data == read_and_stored
    assert both[1].pe_to_pe >= both[0].pe_to_pe + read_and_stored
    assert both[1].buffer > both[0].buffer
    areas = [chip_area(one, 64, 20, results=8) for one in (products, queued)]
    assert areas[0]["result crossbar"] == areas[0]["miss queue"] == 0
    assert areas[1]["result crossbar"] == pytest.approx(2 * 168 * 64 * 16 * 1.862e-6)
    assert areas[1]["miss queue"] == pytest.approx(64 * 6 * 0.692e-6)


def test_how_many_results_a_queue_needs_must_be_said() -> None:
    with pytest.raises(ValueError, match="filters_in_flight of accelerator 'eyeriss-168' was None, but must"):
        most_results(preset("eyeriss-168").changed(dealing="misses"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"dealing": "vectors", "filters_in_flight": 4},
            "was 4, but must be None where dealing is 'vectors': only products",
        ),
        ({"dealing": "rows", "filters_in_flight": 4}, "was 4, but must be None where dealing is 'rows'"),
        ({"dealing": "products", "filters_in_flight": 0}, "was 0, but must be at least 1"),
        (
            {"dataflow": "weight", "filters_in_flight": 4},
            "was 4, but must be None where dataflow is 'weight'",
        ),
    ],
)
def test_where_it_means_nothing_it_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"filters_in_flight of accelerator 'eyeriss-168' {message}"):
        preset("eyeriss-168").changed(**fields)
