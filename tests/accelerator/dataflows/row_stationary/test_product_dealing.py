"""Products dealt to PE sets: the closed forms and the recurrence equal the stepper, cycle for cycle."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from drawn_layers import Layer, dot, layers
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle.product_stepper import SteppedProducts, step_products
from oracle.stepper import Array
from oracle.worker import SteppedScope

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.count.layer_cycles import product_cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Pace, Timing
from mercuric.accelerator.dataflows.row_stationary.asynchronous import AsynchronousProduct
from mercuric.accelerator.dataflows.row_stationary.cycles import (
    baseline_cycles,
    cycles,
    product_pace,
    signature_cycles,
    signature_pace,
)
from mercuric.accelerator.dataflows.row_stationary.dealing import (
    deal,
    dealing_of,
    misses_of_blocks,
    most_results,
    results_held,
)
from mercuric.accelerator.dataflows.row_stationary.late_hits import Turns
from mercuric.accelerator.energy.area import chip_area
from mercuric.accelerator.energy.layer_cost import layer_cost
from mercuric.accelerator.hardware import Design, preset
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap
from mercuric.trace.work import Work

DEALT: dict[str, Any] = {
    "dealing": "products", "arrival": "raster", "insertion_queue": None, "versions": 4,
}  # fmt: skip
DESIGNS: tuple[Design, ...] = ("synchronous", "asynchronous")


@st.composite
def dealt_layers(draw: st.DrawFn, scopes: int = 4, vectors: int = 9, filters: int = 6) -> Layer:
    """In raster order, so that the Hitmap is the same on any array."""
    layer = draw(layers(scopes, 1, vectors, filters).filter(lambda one: one.accelerator.arrival == "raster"))
    return layer.on(**DEALT, design=draw(st.sampled_from(DESIGNS)))


def step(layer: Layer, timing: Timing, *, signed: bool, dense: bool = False) -> SteppedProducts:
    return step_products(
        [SteppedScope(scope.vectors, scope.states, scope.representatives) for scope in layer.scopes],
        layer.filters,
        layer.random_filters if signed else [],
        Array(layer.sets, timing == "fair", layer.accelerator.mac_unit),
        pipelined_signatures=layer.accelerator.pipelined_signatures,
        design=layer.accelerator.design,
        late_hits=layer.accelerator.late_hits,
        dense=dense,
    )


def count(layer: Layer, timing: Timing) -> tuple[Cycles, Cycles]:
    counted = cycles(layer.accelerator, layer.work, ["forward", "weight_gradient"])
    return counted["forward"][timing], counted["weight_gradient"][timing]


@given(dealt_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_both_designs_and_products_equal_the_stepper(layer: Layer, timing: Timing) -> None:
    forward, backward = count(layer, timing)
    assert forward.mercury == step(layer, timing, signed=True).cycles
    assert backward.mercury == step(layer, timing, signed=False).cycles
    assert forward.baseline == backward.baseline == step(layer, timing, signed=False, dense=True).cycles
    ready = layer.on(late_hits="ready")
    assert forward.product == backward.product == step(ready, timing, signed=False).cycles
    assert forward.product + forward.signature == step(ready, timing, signed=True).cycles
    assert min(forward.stall, backward.stall) >= 0


@given(dealt_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=40, deadline=None)
def test_a_hit_has_its_representatives_result_whoever_computes_it(layer: Layer, timing: Timing) -> None:
    layer = layer.on(late_hits="wait" if layer.accelerator.late_hits == "wait" else "ready")
    stepped = step(layer, timing, signed=True)
    expected = [
        [dot(scope.vectors[source], weights) for source in scope.representatives]
        for scope in layer.scopes
        for weights in layer.filters
    ]
    assert stepped.outputs == expected


@given(dealt_layers(filters=9), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_an_entry_has_room_for_the_filters_under_way(layer: Layer, timing: Timing) -> None:
    held = results_held(layer.accelerator, layer.shape)
    assert step(layer, timing, signed=True).under_way <= held <= most_results(layer.accelerator)


@pytest.mark.parametrize(
    ("vectors", "filters", "sets", "together", "apart"),
    [
        (3, 10, 2, 2, 2),  # 5 whole filters a set
        (3, 10, 3, 5, 7),  # 10 pairs a set: they share filters 3 and 6, and each has others for itself
        (4, 2, 4, 2, 4),  # half a filter a set
        (4, 1, 4, 1, 2),
    ],
)
def test_results_of_an_entry_by_hand(
    vectors: int, filters: int, sets: int, together: int, apart: int
) -> None:
    window = [[1, 1, 1]]
    scope = SteppedScope([window] * vectors, [1] * vectors, list(range(vectors)))
    stepped = step_products(
        [scope], [window] * filters, [], Array(sets, True), pipelined_signatures=True, design="synchronous"
    )
    shape = VectorShape(1, vectors, 1, 3, filters)
    array = preset("eyeriss-168").changed(rows=1, columns=sets, dealing="products")
    assert stepped.under_way == results_held(array, shape) == together
    assert results_held(array.changed(design="asynchronous"), shape) == apart


@given(dealt_layers(scopes=6, vectors=12), st.sampled_from(TIMINGS))
@settings(max_examples=40, deadline=None)
def test_the_definition(layer: Layer, timing: Timing) -> None:
    shape, states = layer.shape, layer.work.hitmap.states
    pace, signature = product_pace(layer.accelerator, shape, timing), signature_pace(layer.accelerator, shape)
    product = AsynchronousProduct(
        misses_of_blocks(states, shape.filters, layer.sets),
        deal(layer.accelerator, shape).products,
        filters=1,
        versions=2,
        pace=pace,
    )
    turns = Turns.of(layer.accelerator, layer.work)
    for bits in (0, layer.work.bits):
        random = deal(layer.accelerator, replace(shape, filters=bits)).products
        defined, _ = product.by_definition(random, signature, turns=turns)
        assert product.cycles(random, signature, turns=turns) == defined
    if turns is not None:
        assert turns.slowest(pace).tolist() == turns.slowest_by_definition(pace)


@given(dealt_layers(), st.sampled_from(TIMINGS))
@settings(max_examples=40, deadline=None)
def test_no_dense_product_is_slower_than_with_vectors_dealt(layer: Layer, timing: Timing) -> None:
    vectors, shape = layer.on(dealing="vectors").accelerator, layer.shape
    assert baseline_cycles(layer.accelerator, shape, timing) <= baseline_cycles(vectors, shape, timing)
    assert signature_cycles(layer.accelerator, shape, 3) <= signature_cycles(vectors, shape, 3)


@given(dealt_layers(scopes=6), st.sampled_from(TIMINGS))
@settings(max_examples=40, deadline=None)
def test_nobody_is_slower_for_not_waiting(layer: Layer, timing: Timing) -> None:
    assume(layer.accelerator.late_hits != "recompute")
    together, apart = (count(layer.on(design=design), timing) for design in DESIGNS)
    assert apart[0].mercury <= together[0].mercury
    assert apart[1].mercury <= together[1].mercury


@given(
    states=st.lists(st.lists(st.integers(0, 2), min_size=7, max_size=7), min_size=1, max_size=3),
    vectors=st.integers(0, 7),
    filters=st.integers(0, 9),
    sets=st.integers(1, 12),
)
@settings(max_examples=50, deadline=None)
def test_blocks_are_those_of_a_list_of_pairs(
    states: list[list[int]], vectors: int, filters: int, sets: int
) -> None:
    pairs = [(filter_, vector) for filter_ in range(filters) for vector in range(vectors)]
    array = preset("eyeriss-168").changed(rows=1, columns=sets, dealing="products")
    dealt, blocks, begin = deal(array, VectorShape(1, vectors, 1, 1, filters)), [], 0
    for length in dealt.products.tolist():
        blocks.append(pairs[begin : begin + length])
        begin += length
    assert begin == len(pairs)
    assert dealt.most == -(-len(pairs) // sets)
    assert dealt.filters.tolist() == [len({filter_ for filter_, _ in block}) for block in blocks]
    assert dealt.vectors.tolist() == [len({vector for _, vector in block}) for block in blocks]
    table = torch.tensor(states, dtype=torch.uint8)[:, :vectors]
    expected = [[sum(scope[v] != 0 for _, v in block) for block in blocks] for scope in table.tolist()]
    assert misses_of_blocks(table, filters, sets).tolist() == expected


def test_a_layer_by_hand() -> None:
    """Two sets, two vectors, three filters of three elements, vector 1 a HIT: pairs m h m | h m h."""
    array = preset("eyeriss-168").changed(rows=1, columns=2, dealing="products")
    hitmap = Hitmap(torch.tensor([[1, 0]], dtype=torch.uint8), torch.tensor([[0, 0]]))
    counted = cycles(array, Work(VectorShape(1, 2, 1, 3, 3), hitmap, bits=4), ["forward"])["forward"]
    assert counted["paper"] == Cycles(3 * 4, 4 + 1 + 4, 4 * 3 + 2)
    assert counted["fair"] == Cycles(3 * 3 + 2, 3 + 1 + 3 + 2, 4 * 3 + 2)


def test_late_hits_by_hand() -> None:
    """Two sets, three vectors, one filter: 0 1 | 2, the last a HIT on vector 1, which leaves in cycle 8."""
    array = preset("eyeriss-168").changed(rows=1, columns=2, dealing="products", late_hits="wait")
    hitmap = Hitmap(torch.tensor([[1, 1, 0]], dtype=torch.uint8), torch.tensor([[0, 1, 1]]))
    work = Work(VectorShape(1, 3, 1, 3, 1), hitmap)

    def counted(**fields: Any) -> Cycles:
        return cycles(array.changed(**fields), work, ["weight_gradient"])["weight_gradient"]["paper"]

    assert counted() == Cycles(8, 8, 0, 1)
    assert counted(late_hits="recompute") == Cycles(8, 8, 0, 0)
    assert counted(late_hits="ready") == Cycles(8, 8, 0, 0)


def test_the_example_of_the_document() -> None:
    shape = VectorShape(1, 196, 1, 256, 1024)
    vectors = preset("eyeriss-168").changed(dealing="vectors")
    dealt = vectors.changed(dealing="products")
    assert baseline_cycles(vectors, shape, "fair") == 524_290
    assert baseline_cycles(dealt, shape, "fair") == 305_922
    assert results_held(dealt, shape) <= most_results(dealt) == 335


def test_a_set_may_be_a_scope_ahead_and_no_more() -> None:
    """Set 1 has ended scope 1 in cycle 22, but begins scope 2 when set 0 ends scope 0, in 26."""
    misses = np.array([[4, 1], [1, 1], [1, 6]])
    product = AsynchronousProduct(misses, np.array([6, 6]), 1, 2, Pace(6, 0))
    assert product.cycles() == 26 + 6 * 6


def test_no_work_costs_nothing() -> None:
    empty = VectorShape(scopes=3, vectors=0, rows=3, elements=3, filters=8)
    nothing = Work(empty, Hitmap(torch.zeros(3, 0, dtype=torch.uint8), torch.zeros(3, 0).long()), bits=20)
    for design in DESIGNS:
        array = preset("eyeriss-168").changed(dealing="products", design=design)
        counted = cycles(array, nothing, ["forward"])["forward"]
        assert counted["paper"] == counted["fair"] == Cycles()


def test_fully_connected_layers_are_dealt_as_before() -> None:
    shape = VectorShape(1, 200, 1, 64, 10)
    array = preset("eyeriss-168")
    dealt = array.changed(dealing="products")
    work = Work(shape, kind="linear")
    assert product_cycles(dealt, work) == product_cycles(array, work)
    assert layer_cost(dealt, work) == layer_cost(array, work)
    hits = replace(work, hitmap=Hitmap(torch.zeros(1, 200, dtype=torch.uint8), torch.zeros(1, 200).long()))
    assert layer_cost(dealt, hits) == layer_cost(array, hits)
    assert dealing_of(dealt, work.kind) == "vectors"
    assert dealing_of(dealt, "conv") == "products"


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("arrival", "interleaved", "'raster' where dealing is 'products': several PE sets compute the bits"),
        ("insertion_queue", 4, "None where dealing is 'products': several PE sets compute the bits"),
        ("versions", 8, "4 where dealing is 'products': an MCACHE entry then holds a result for every"),
    ],
)
def test_options_that_mean_nothing_are_refused(field: str, value: object, why: str) -> None:
    with pytest.raises(
        ValueError, match=f"{field} of accelerator 'eyeriss-168' was {value!r}, but must be {why}"
    ):
        preset("eyeriss-168").changed(**{"dealing": "products", field: value})


@pytest.mark.parametrize("dataflow", ["weight", "input", "output"])
def test_a_systolic_array_deals_nothing(dataflow: str) -> None:
    with pytest.raises(
        ValueError, match=f"must be 'vectors' where dataflow is {dataflow!r}: a systolic array"
    ):
        preset("eyeriss-168").changed(dealing="products", dataflow=dataflow)


def test_an_entry_of_many_results_takes_area() -> None:
    plain = preset("eyeriss-168").changed(dealing="vectors")
    dealt = plain.changed(dealing="products")
    per_result = chip_area(plain, 9, 20)["MCACHE results"]
    assert chip_area(dealt, 9, 20)["MCACHE results"] == pytest.approx(335 * per_result)
    assert chip_area(dealt, 9, 20, results=111)["MCACHE results"] == pytest.approx(111 * per_result)
    with pytest.raises(ValueError, match="results was 0, but must be at least 1"):
        chip_area(dealt, 9, 20, results=0)
