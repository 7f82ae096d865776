"""What dO pays for signatures: nothing, what it needs, what can't be reloaded, or everything."""

from dataclasses import replace
from itertools import product
from typing import get_args

import pytest
import torch
from drawn_layers import Layer, layers
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.accelerator import CycleCost, CycleCounter, preset
from mercuric.accelerator.count.layer_cycles import observed_cycles, training_cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS
from mercuric.accelerator.energy.accesses import reuse_accesses
from mercuric.accelerator.energy.layer_cost import LayerCost, layer_cost
from mercuric.accelerator.energy.operands import operands
from mercuric.accelerator.gradient_signatures import signs_gradient
from mercuric.accelerator.hardware import Accelerator, GradientSignatures
from mercuric.reuse import Observation
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap

EVERY: tuple[GradientSignatures, ...] = get_args(GradientSignatures)
# Drawn layers, and those by hand, are vectors without rows of an output.
ROW = preset("eyeriss-168").changed(dealing="vectors")
ARRAYS = [
    one.changed(rows=4, columns=4, design=design)
    for one, design in product(
        (ROW, *map(preset, ("weight-168", "input-168", "output-168"))), ("synchronous", "asynchronous")
    )
]
"""Small enough for drawn layers to fill."""


@pytest.mark.parametrize(
    ("charged", "observed", "reloaded", "signs"),
    [
        ("needed", "forward", None, False),
        ("needed", "forward", False, False),
        ("needed", "input_gradient", True, False),
        ("needed", "input_gradient", False, True),
        ("free", "forward", False, False),
        ("free", "input_gradient", False, False),
        ("reload", "forward", False, True),
        ("reload", "forward", True, False),
        ("reload", "input_gradient", False, True),
        ("reload", "input_gradient", True, False),
        ("compute", "forward", None, True),
        ("compute", "forward", True, True),
        ("compute", "input_gradient", True, True),
    ],
)
def test_who_pays(charged: GradientSignatures, observed: str, reloaded: bool | None, signs: bool) -> None:
    accelerator = preset("eyeriss-168").changed(gradient_signatures=charged)
    assert signs_gradient(accelerator, observed, reloaded) is signs  # type: ignore[arg-type]


@settings(deadline=None, max_examples=40)
@given(layers(), st.sampled_from(ARRAYS), st.sampled_from(["conv", "linear"]))
def test_of_the_forward_hitmap_only_signatures_are_added(
    layer: Layer, accelerator: Accelerator, kind: Kind
) -> None:
    """Where they are charged, dO costs what it did and the signatures of the forward product."""
    work = replace(layer.work, kind=kind)
    free = training_cycles(accelerator, work)
    paid = observed_cycles(
        accelerator.changed(gradient_signatures="compute"), work, "forward", needs_input_gradient=True
    )
    for timing in TIMINGS:
        without, with_them = free[timing].input_gradient, paid[timing].input_gradient
        assert (with_them.baseline, with_them.product) == (without.baseline, without.product)
        assert without.signature == 0
        assert with_them.signature == free[timing].forward.signature
        assert with_them.stall >= without.stall
        assert paid[timing].forward == free[timing].forward
        assert paid[timing].weight_gradient == free[timing].weight_gradient


@settings(deadline=None, max_examples=40)
@given(layers(), st.sampled_from(ARRAYS), st.booleans())
def test_more_is_never_charged_than_everything(
    layer: Layer, accelerator: Accelerator, reloaded: bool
) -> None:
    work = layer.work
    for observed in ("forward", "input_gradient"):
        totals = {}
        for charged in EVERY:
            counter = CycleCounter(accelerator.changed(gradient_signatures=charged))
            counter.count("one", work, needs_input_gradient=True, product=observed, reloaded=reloaded)  # type: ignore[arg-type]
            totals[charged] = [counter.totals(timing) for timing in TIMINGS]
        for place in range(len(TIMINGS)):
            taken = {charged: one[place].mercury for charged, one in totals.items()}
            assert taken["free"] <= taken["needed"] <= taken["reload"] <= taken["compute"]
            assert taken["reload"] == (taken["free"] if reloaded else taken["compute"])
            assert len({one[place].baseline for one in totals.values()}) == 1


def test_by_hand() -> None:
    """The layer of docs/cycle-model.md: signatures of 73,216 cycles, paid once or twice."""
    states = torch.ones(64, 1024, dtype=torch.uint8)
    states[:, 1::2] = 0
    places = torch.arange(1024).expand(64, 1024)
    hitmap = Hitmap(states, places - places % 2)
    seen = Observation("conv", VectorShape(64, 1024, 3, 3, 64), hitmap, 20, True)
    once = CycleCost(ROW)(seen).signatures_and_products
    accelerator = ROW.changed(gradient_signatures="compute")
    assert CycleCost(accelerator)(seen).signatures_and_products == once + 73_216


def test_who_reloads_must_know_what_can_be() -> None:
    accelerator = ROW.changed(gradient_signatures="reload")
    hitmap = Hitmap(torch.tensor([[1, 0]], dtype=torch.uint8), torch.tensor([[0, 0]]))
    seen = Observation("conv", VectorShape(1, 2, 3, 3, 4), hitmap, 20, True)
    with pytest.raises(ValueError, match="gradient_signatures of accelerator 'eyeriss-168' was 'reload'"):
        CycleCost(accelerator)(seen)
    CycleCost(accelerator)(replace(seen, needs_input_gradient=False))


@settings(deadline=None, max_examples=20)
@given(layers(), st.sampled_from(ARRAYS), st.sampled_from(["conv", "linear"]))
def test_energy_of_gradients_signatures(layer: Layer, accelerator: Accelerator, kind: Kind) -> None:
    """By the forward Hitmap dO's signatures cost what the forward ones do; reloaded ones cost none."""
    work = replace(layer.work, kind=kind, cache_sets=None)
    unsigned = replace(work, bits=0)
    paid, free = (
        layer_cost(accelerator.changed(gradient_signatures=charged), work) for charged in ("compute", "free")
    )
    forward = reuse_accesses(accelerator, work, operands(work.shape), "forward", training=True)
    without = reuse_accesses(accelerator, work, operands(work.shape), "forward", training=True, signed=False)
    own = layer_cost(accelerator, work, product="input_gradient", reloaded=False)
    reloaded = layer_cost(accelerator, work, product="input_gradient", reloaded=True)
    for timing in TIMINGS:
        more = paid[timing].mercury.accesses.mac - free[timing].mercury.accesses.mac
        assert more == forward.mac - without.mac
        assert paid[timing].baseline == free[timing].baseline
        alone = own[timing].mercury.accesses.mac - reloaded[timing].mercury.accesses.mac
        assert alone == forward.mac - without.mac
        assert reloaded[timing].mercury.accesses.dram >= own[timing].baseline.accesses.dram
        assert (
            layer_cost(accelerator, unsigned, product="input_gradient", training=False)[timing] == LayerCost()
        )
