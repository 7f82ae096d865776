"""The cycles of the dataflows that IV describes equal the stepper's, which computes what reuse means."""

from typing import get_args

import pytest
from drawn_matrices import Layer, expected, layers, whole_depth, without_reuse, without_signatures
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.bus_stepper import Stepped, step_broadcast, step_vector
from oracle.systolic_folding import Scope, turned

from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.hardware import Design
from mercuric.trace.work import Product

STEPPERS = {"broadcast": step_broadcast, "vector": step_vector}
PRODUCTS: tuple[Product, ...] = get_args(Product)
DESIGNS: tuple[Design, ...] = get_args(Design)


def step(
    layer: Layer, dataflow: str, design: Design, product: Product, timing: Timing, scopes: list[Scope]
) -> Stepped:
    accelerator = layer.accelerator(dataflow, design)
    return STEPPERS[dataflow](
        product,
        scopes,
        accelerator.pes,
        design=design,
        ports=accelerator.ports(timing) or 0,
        skipping=bool(accelerator.hit_cycles),
    )


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("dataflow", STEPPERS)
@given(layer=layers(), timing=st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_cycles_with_reuse_equal_the_stepper(
    dataflow: str, product: Product, design: Design, layer: Layer, timing: Timing
) -> None:
    stepped = step(layer, dataflow, design, product, timing, layer.scopes)
    cycles = layer.cycles(dataflow, design, product, timing)
    assert cycles.mercury == stepped.cycles
    assert stepped.products == [expected(scope, product) for scope in layer.scopes]
    unsigned = [without_signatures(scope) for scope in layer.scopes]
    assert cycles.product + cycles.stall == step(layer, dataflow, design, product, timing, unsigned).cycles
    assert min(cycles.product, cycles.stall, cycles.signature) >= 0
    assert (layer.accelerator(dataflow, design).ports(timing) is not None) >= bool(cycles.stall)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("dataflow", STEPPERS)
@given(layer=layers(), product=st.sampled_from(PRODUCTS))
@settings(max_examples=60, deadline=None)
def test_baselines_equal_the_stepper(dataflow: str, design: Design, layer: Layer, product: Product) -> None:
    for scopes, depth in ((layer.scopes, "channel"), ([whole_depth(layer.scopes)], "whole")):
        dense = [without_reuse(scope) for scope in scopes]
        stepped = STEPPERS[dataflow](product, dense, layer.rows * layer.columns, design=design)
        assert stepped.products == [expected(scope, product) for scope in dense]
        for timing in TIMINGS:
            if layer.accelerator(dataflow, design).depth(timing) == depth:
                assert layer.cycles(dataflow, design, product, timing).baseline == stepped.cycles


@pytest.mark.parametrize("dataflow", STEPPERS)
@given(layer=layers())
@settings(max_examples=30, deadline=None)
def test_the_stepper_computes_every_signature(dataflow: str, layer: Layer) -> None:
    stepped = step(layer, dataflow, "synchronous", "forward", "paper", layer.scopes)
    for scope, signatures in zip(layer.scopes, stepped.signatures, strict=True):
        assert signatures == [
            [sum(a * b for a, b in zip(vector, random, strict=True)) for random in turned(scope.random)]
            for vector in scope.vectors
        ]
