import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from mercuric.accelerator.count import layer_cycles
from mercuric.accelerator.count.cycle_cost import CycleCost
from mercuric.accelerator.count.cycle_counter import CycleCounter
from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.hardware import preset
from mercuric.reuse import ReuseConfig, reuse_
from mercuric.reuse.judge.paper import Cost
from mercuric.reuse.observation import Observation
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap
from mercuric.trace.work import Work

SHAPE = VectorShape(scopes=64, vectors=1024, rows=3, elements=3, filters=64, output_rows=32)
STATES = torch.tensor([1, 0] * 512, dtype=torch.uint8).repeat(64, 1)
HITMAP = Hitmap(STATES, torch.arange(1024).div(2, rounding_mode="floor").mul(2).repeat(64, 1))


OBSERVED = Observation("conv2", SHAPE, HITMAP, bits=20, needs_input_gradient=True)


def counted() -> CycleCounter:
    counter = CycleCounter("eyeriss-168")
    counter.count("conv1", Work(SHAPE), needs_input_gradient=False)
    counter.observe(OBSERVED)
    counter.observe(OBSERVED)
    return counter


def test_layers_by_hand() -> None:
    """The figures of one forward product are those of test_row_stationary."""
    conv1, conv2 = counted().layers().to_dict("records")
    assert conv1 == {
        "layer": "conv1",
        "cycles_baseline": 2 * 786_432,
        "cycles_mercury": 2 * 786_432,
        "cycles_signature": 0,
        "cycles_stall": 0,
        "fair_baseline": 2 * 393_472,
        "fair_mercury": 2 * 393_472,
        "fair_signature": 0,
        "fair_stall": 0,
    }
    assert conv2 == {
        "layer": "conv2",
        "cycles_baseline": 2 * 3 * 786_432,
        "cycles_mercury": 2 * (3 * 458_752 + 123_136),
        "cycles_signature": 2 * 123_136,
        "cycles_stall": 0,
        "fair_baseline": 2 * 3 * 393_472,
        "fair_mercury": 2 * (3 * 278_528 + 123_136),
        "fair_signature": 2 * 123_136,
        "fair_stall": 0,
    }


def test_totals_are_the_sum_of_the_layers() -> None:
    counter = counted()
    layers = counter.layers()
    for timing, prefix in (("paper", "cycles"), ("fair", "fair")):
        totals = counter.totals(timing)
        assert totals.baseline == layers[f"{prefix}_baseline"].sum()
        assert totals.mercury == layers[f"{prefix}_mercury"].sum()
        assert totals.signature == layers[f"{prefix}_signature"].sum()
        assert totals.stall == layers[f"{prefix}_stall"].sum()
    assert counter.totals() == counter.totals("paper")
    assert counter.products().weight_gradient.baseline == 3 * 786_432
    assert counter.products().input_gradient.baseline == 2 * 786_432


def test_inference_counts_the_forward_product_only() -> None:
    counter = CycleCounter(preset("eyeriss-168"), training=False)
    counter.observe(OBSERVED)
    assert counter.totals("paper") == Cycles(786_432, 458_752, 123_136)


def test_nothing_counted() -> None:
    counter = CycleCounter("eyeriss-168")
    assert counter.layers().empty
    assert counter.totals().speedup == 1.0


def test_a_run_goes_on_from_its_saved_state() -> None:
    whole, resumed = counted(), CycleCounter("eyeriss-168")
    resumed.load_state_dict(json.loads(json.dumps(counted().state_dict())))
    whole.observe(OBSERVED)
    resumed.observe(OBSERVED)
    assert whole.layers().equals(resumed.layers())
    assert whole.products("fair") == resumed.products("fair")


def test_the_state_of_another_run_is_refused() -> None:
    with pytest.raises(ValueError, match="training of the state was True, but must be False"):
        CycleCounter("eyeriss-168", training=False).load_state_dict(counted().state_dict())
    other = preset("eyeriss-168").changed(rows=9)
    with pytest.raises(ValueError, match="accelerator of the state was"):
        CycleCounter(other).load_state_dict(counted().state_dict())


def test_a_wrong_hitmap_counts_nothing() -> None:
    counter = CycleCounter("eyeriss-168")
    with pytest.raises(ValueError, match="states was"):
        counter.observe(replace(OBSERVED, hitmap=Hitmap(STATES[:1], HITMAP.representatives[:1])))
    assert counter.layers().empty


def test_an_unknown_timing() -> None:
    with pytest.raises(ValueError, match="timing was 'slow', but must be one of 'paper', 'fair'"):
        counted().totals("slow")  # type: ignore[arg-type]


def test_it_is_a_cost_model_that_counts_each_observation_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted_works = 0
    count = layer_cycles.training_cycles

    def counting(*args: Any, **kwargs: Any) -> Any:
        nonlocal counted_works
        counted_works += 1
        return count(*args, **kwargs)

    monkeypatch.setattr(layer_cycles, "training_cycles", counting)
    fair = preset("eyeriss-168").changed(timing="fair")
    counter, told = CycleCounter(fair), replace(OBSERVED)
    assert counter(told) == CycleCost(fair, "fair")(told)
    assert counter.layers().empty
    counted_works = 0
    counter.observe(told)
    assert counted_works == 0
    counter.observe(told)
    assert counted_works == 1
    assert counter.totals("paper").signature == 2 * 123_136


def test_adaptation_and_counter_see_the_same_cycles() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
    counter, costs = CycleCounter("eyeriss-168"), []

    def cost(observation: Observation) -> Cost:
        costs.append(counter(observation))
        return costs[-1]

    handle = reuse_(model, ReuseConfig.paper(), cost=cost)
    handle.observe(counter.observe)
    model(torch.randn(2, 3, 8, 8)).sum().backward()
    total = counter.totals()
    assert sum(one.signatures_and_products for one in costs) == total.mercury > 0
    assert sum(one.baseline for one in costs) == total.baseline
