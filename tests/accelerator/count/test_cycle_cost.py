"""Does a batch cost what the cycle counter counts for it?"""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.accelerator.count.cycle_cost import CycleCost
from mercuric.accelerator.count.cycle_counter import CycleCounter
from mercuric.accelerator.hardware import Accelerator, preset
from mercuric.reuse.judge.judge import Cost
from mercuric.reuse.observation import Observation
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap

SHAPE = VectorShape(scopes=64, vectors=1024, rows=3, elements=3, filters=64, output_rows=32)
STATES = torch.tensor([1, 0] * 512, dtype=torch.uint8).repeat(64, 1)
HALF = Observation("conv2", SHAPE, Hitmap(STATES, torch.zeros(64, 1024, dtype=torch.int64)), 20, True)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    scopes, lines = draw(st.integers(1, 3)), draw(st.integers(1, 70))
    vectors = lines * draw(st.integers(1, 5))
    rows, elements, filters = draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(st.integers(1, 9))
    shape = VectorShape(scopes, vectors, rows, elements, filters, output_rows=lines)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 99)))
    states = torch.randint(0, 3, (scopes, vectors), generator=generator).to(torch.uint8)
    hitmap = Hitmap(states, torch.zeros_like(states, dtype=torch.int64))
    return Observation(
        "conv", shape, draw(st.sampled_from([hitmap, None])), draw(st.integers(0, 30)), draw(st.booleans())
    )


@settings(deadline=None)  # the first call compiles
@given(observations(), st.sampled_from(["paper", "fair"]))
def test_a_forward_observation_costs_what_the_counter_counts(observed: Observation, timing: str) -> None:
    counter = CycleCounter("eyeriss-168")
    counter.observe(observed)
    counted = counter.totals(timing)
    assert CycleCost(timing=timing)(observed) == Cost(counted.mercury, counted.baseline)


@settings(deadline=None)
@given(observations())
def test_an_input_gradient_costs_one_product_with_its_signatures(observed: Observation) -> None:
    counter = CycleCounter("eyeriss-168", training=False)
    counter.observe(observed)
    counted = counter.totals("paper")
    gradient = replace(observed, product="input_gradient")
    assert CycleCost()(gradient) == Cost(counted.mercury, counted.baseline)


def test_cycles_by_hand() -> None:
    """The figures of one product are those of test_row_stationary: half of the vectors hit."""
    product, signature, baseline = 458_752, 123_136, 786_432
    cost = CycleCost("eyeriss-168", timing="paper")
    assert cost(HALF) == Cost(3 * product + signature, 3 * baseline)
    assert cost(replace(HALF, needs_input_gradient=False)) == Cost(2 * product + signature, 2 * baseline)
    gradient = replace(HALF, product="input_gradient")
    assert cost(gradient) == Cost(product + signature, baseline)
    assert cost(replace(gradient, bits=0)) == Cost(product, baseline)


def test_a_layer_that_is_off_costs_the_same_on_both_sides() -> None:
    off = CycleCost()(Observation("conv2", SHAPE, None, 0, True))
    assert off.signatures_and_products == off.baseline == 3 * 786_432


def test_more_bits_than_hits_save_lose() -> None:
    few = replace(HALF, shape=replace(SHAPE, filters=4))
    cost = CycleCost()(few)
    assert cost.signatures_and_products > cost.baseline


def test_an_accelerator_may_be_described() -> None:
    small = Accelerator(name="small", rows=3, columns=4, clock_mhz=100, entries=64, ways=4)
    assert CycleCost(small)(HALF).baseline > CycleCost(preset("eyeriss-168"))(HALF).baseline


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="timing was 'slow', but must be one of 'paper', 'fair'"):
        CycleCost(timing="slow")
    with pytest.raises(ValueError, match="accelerator was 'tpu'"):
        CycleCost("tpu")


def test_a_wrong_hitmap_is_refused() -> None:
    with pytest.raises(ValueError, match="states was"):
        CycleCost()(replace(HALF, shape=replace(SHAPE, scopes=3)))
