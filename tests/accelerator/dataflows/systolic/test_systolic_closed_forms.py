"""The cycles of the systolic dataflows equal the stepper's, and the stepper computes what reuse means."""

from typing import get_args

import pytest
from drawn_matrices import Layer, expected, layers, whole_depth, without_reuse, without_signatures
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.systolic_folding import Scope, SystolicStationary, turned
from oracle.systolic_stepper import Stepped, step_product

from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.hardware import Design
from mercuric.trace.work import Product

SYSTOLIC: tuple[SystolicStationary, ...] = get_args(SystolicStationary)
PRODUCTS: tuple[Product, ...] = get_args(Product)
DESIGNS: tuple[Design, ...] = get_args(Design)
OVERLAPPING = ("input", "asynchronous")


def step(
    layer: Layer,
    dataflow: SystolicStationary,
    design: Design,
    product: Product,
    timing: Timing,
    scopes: list[Scope] | None = None,
) -> Stepped:
    accelerator = layer.accelerator(dataflow, design)
    return step_product(
        dataflow,
        product,
        layer.scopes if scopes is None else scopes,
        layer.rows,
        layer.columns,
        design=design,
        versions=layer.versions,
        ports=accelerator.ports(timing) or 0,
        skipping=bool(accelerator.hit_cycles),
    )


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("dataflow", SYSTOLIC)
@given(layer=layers(), timing=st.sampled_from(TIMINGS))
@settings(max_examples=30, deadline=None)
def test_cycles_with_reuse_equal_the_stepper(
    dataflow: SystolicStationary, product: Product, design: Design, layer: Layer, timing: Timing
) -> None:
    stepped = step(layer, dataflow, design, product, timing)
    cycles = layer.cycles(dataflow, design, product, timing)
    assert cycles.mercury == stepped.cycles
    assert stepped.products == [expected(scope, product) for scope in layer.scopes]
    unsigned = step(
        layer, dataflow, design, product, timing, [without_signatures(scope) for scope in layer.scopes]
    )
    assert cycles.product + cycles.stall == unsigned.cycles
    assert min(cycles.product, cycles.stall, cycles.signature) >= 0
    assert (layer.accelerator(dataflow, design).ports(timing) is not None) >= bool(cycles.stall)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("dataflow", SYSTOLIC)
@given(layer=layers(), product=st.sampled_from(PRODUCTS))
@settings(max_examples=30, deadline=None)
def test_baselines_equal_the_stepper(
    dataflow: SystolicStationary, design: Design, layer: Layer, product: Product
) -> None:
    dense = [without_reuse(scope) for scope in layer.scopes]
    stepped = step_product(dataflow, product, dense, layer.rows, layer.columns, design=design, versions=10**6)
    whole = without_reuse(whole_depth(layer.scopes))
    at_once = step_product(
        dataflow, product, [whole], layer.rows, layer.columns, design=design, versions=10**6
    )
    assert at_once.products == [expected(whole, product)]
    baselines = {"channel": stepped.cycles, "whole": at_once.cycles}
    for timing in TIMINGS:
        depth = layer.accelerator(dataflow, design).depth(timing)
        assert layer.cycles(dataflow, design, product, timing).baseline == baselines[depth]


@pytest.mark.parametrize(
    ("dataflow", "design"),
    [(dataflow, design) for dataflow in SYSTOLIC for design in DESIGNS if (dataflow, design) != OVERLAPPING],
)
@given(layer=layers())
@settings(max_examples=30, deadline=None)
def test_at_most_one_signature_is_completed_in_a_cycle(
    dataflow: SystolicStationary, design: Design, layer: Layer
) -> None:
    """So that an insertion queue of any size holds no more than one request, and nobody waits for it."""
    stepped = step(layer, dataflow, design, "forward", "paper")
    cycles = [cycle for scope in stepped.completed for cycle in scope.values()]
    assert len(cycles) == len(set(cycles)) == (len(layer.scopes) * layer.shape.vectors if layer.bits else 0)
    for scope, signatures in zip(layer.scopes, stepped.signatures, strict=True):
        assert signatures == [
            [sum(a * b for a, b in zip(vector, random, strict=True)) for random in turned(scope.random)]
            for vector in scope.vectors
        ]


def test_two_signatures_may_be_completed_in_a_cycle_where_input_stationary_folds_overlap() -> None:
    vectors, filters = [[1]] * 6, [[1]]
    scope = Scope(vectors, filters, [[1]] * 6, [[1]], [2] * 6, range(6))
    stepped = step_product("input", "forward", [scope], 1, 3, design="asynchronous", versions=4)
    assert sorted(stepped.completed[0].values()) == [1, 2, 2, 3, 3, 4]
