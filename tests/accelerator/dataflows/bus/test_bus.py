"""Layers counted by hand where IV is read literally, what the arrays move, and what they refuse."""

from dataclasses import astuple, replace
from itertools import product as every
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.accelerator import Accelerator, Cycles, chip_area, layer_cost, preset
from mercuric.accelerator.count.layer_cycles import training_cycles
from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.dataflows.traffic import ArrayTraffic, DotProducts
from mercuric.accelerator.energy.energies import WordCosts
from mercuric.accelerator.energy.operands import operands
from mercuric.accelerator.hardware import Design
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap
from mercuric.studies.sweep.config import SweepConfig
from mercuric.studies.sweep.study import split
from mercuric.trace.work import Product, Work

BUS = ("broadcast", "vector")
VGG = VectorShape(scopes=64, vectors=1024, rows=3, elements=3, filters=64, images=1, depth=64)
"""3x3 convolution, 64 channels to 64, one image of 32 x 32: windows of 9 elements, on 168 PEs."""


def work(hits: int, shape: VectorShape = VGG, bits: int = 20) -> Work:
    """The first vector misses, ``hits`` vectors reuse its result, the rest miss."""
    states = torch.full((shape.scopes, shape.vectors), 2, dtype=torch.uint8)
    states[:, 0], states[:, 1 : hits + 1] = 1, 0
    representatives = torch.arange(shape.vectors).repeat(shape.scopes, 1)
    representatives[:, 1 : hits + 1] = 0
    return Work(shape, Hitmap(states, representatives), bits)


def forward(accelerator: Accelerator, of: Work) -> dict[str, Cycles]:
    return dict(dataflow_of(accelerator).cycles(accelerator, of, ["forward"])["forward"])


def test_a_filter_a_pe_by_hand() -> None:
    """9 cycles a load, 9 a vector: the signatures cost what all vectors with all filters do."""
    counted = forward(preset("broadcast-168"), work(512))
    one = 64 * 9 * (1 + 1024)
    assert counted["paper"] == Cycles(one, 64 * 9 * (1 + 512), one)
    assert counted["fair"] == replace(counted["paper"], baseline=576 * (1 + 1024))
    assert counted["paper"].speedup < 1


@pytest.mark.parametrize(("bits", "filters"), [(1, 168), (20, 168), (168, 20), (169, 337)])
def test_signatures_are_passes_of_their_own(bits: int, filters: int) -> None:
    counted = forward(preset("broadcast-168"), work(0, replace(VGG, filters=filters), bits))["paper"]
    one = 64 * 9 * (1 + 1024)
    assert (counted.signature, counted.product) == (one * -(-bits // 168), one * -(-filters // 168))


def test_one_vector_at_a_time_by_hand() -> None:
    """A cycle to load, one a filter; a vector that misses is there already when its filters come."""
    counted = forward(preset("vector-168"), work(512))
    signature = 64 * (1024 * (1 + 20) - 512)
    assert counted["paper"] == Cycles(64 * 1024 * (1 + 64), 64 * 512 * (1 + 64), signature)
    assert counted["fair"] == replace(counted["paper"], baseline=1024 * 4 * (1 + 64))
    # 1000 HITs' results at a port's pace of one a cycle, beside the results of 24 vectors.
    assert forward(preset("vector-168"), work(1000))["fair"].stall == 64 * 64 * (1000 - 24)


@pytest.mark.parametrize("name", [f"{dataflow}-168" for dataflow in BUS])
@pytest.mark.parametrize("design", get_args(Design))
def test_reuse_that_is_off_costs_the_baseline(name: str, design: Design) -> None:
    for cycles in training_cycles(preset(name).changed(design=design), Work(VGG)).values():
        for one in (cycles.forward, cycles.input_gradient, cycles.weight_gradient):
            assert one == Cycles(one.baseline, one.baseline)
            assert one.baseline > 0


@pytest.mark.parametrize("name", [f"{dataflow}-168" for dataflow in BUS])
@pytest.mark.parametrize("design", get_args(Design))
@pytest.mark.parametrize(("scopes", "vectors", "images"), [(0, 4, 0), (6, 0, 2)])
def test_no_work_costs_nothing(name: str, design: Design, scopes: int, vectors: int, images: int) -> None:
    shape = VectorShape(scopes, vectors, 3, 3, 8, images, 3)
    states = torch.zeros(scopes, vectors, dtype=torch.uint8)
    nothing = Work(shape, Hitmap(states, states.long()), 20)
    for cycles in training_cycles(preset(name).changed(design=design), nothing).values():
        assert cycles.total == Cycles()


@pytest.mark.parametrize("name", [f"{dataflow}-168" for dataflow in BUS])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pipelined_signatures", False),
        ("mac_unit", True),
        ("arrival", "interleaved"),
        ("late_hits", "wait"),
        ("dealing", "products"),
        ("replicas", 2),
    ],
)
def test_options_that_mean_nothing(name: str, field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{field} of accelerator '{name}' was {value!r}, but must be .*:"):
        preset(name).changed(**{field: value})


@pytest.mark.parametrize("name", [f"{dataflow}-168" for dataflow in BUS])
@pytest.mark.parametrize("field", ["versions", "insertion_queue"])
def test_options_that_change_no_cycle(name: str, field: str) -> None:
    for value in (1, 3):
        array = preset(name).changed(**{field: value}, design="asynchronous")
        assert forward(array, work(512)) == forward(array.changed(**{field: 9}), work(512))
    config = SweepConfig(
        models=("custom-cnn",), vary={"design": ("asynchronous",), field: (1, 2)}, accelerator=name
    )
    with pytest.raises(ValueError, match=f"field was '{field}', but must be left out of this sweep"):
        split(config, {})


def test_results_that_an_entry_holds() -> None:
    broadcast, vector = preset("broadcast-168"), preset("vector-168")
    few, many = replace(VGG, filters=20), replace(VGG, filters=512)
    assert [dataflow_of(broadcast).results(broadcast, shape) for shape in (few, many, None)] == [20, 168, 168]
    assert [dataflow_of(vector).results(vector, shape) for shape in (few, many)] == [20, 512]
    with pytest.raises(ValueError, match="results was None, but must be given for accelerator 'vector-168'"):
        chip_area(vector, 1024, 20)
    assert chip_area(vector, 1024, 20, results=512)["MCACHE results"] > 0


@st.composite
def products(draw: st.DrawFn) -> tuple[Accelerator, VectorShape, list[int]]:
    array = preset(f"{draw(st.sampled_from(BUS))}-168").changed(
        rows=draw(st.integers(1, 3)),
        columns=draw(st.integers(1, 3)),
        register_file_words=draw(st.integers(3, 6)),
    )
    scopes = draw(st.integers(1, 3))
    vectors, length, filters = (draw(st.integers(1, 7)) for _ in range(3))
    computed = [draw(st.integers(0, vectors)) for _ in range(scopes)]
    return array, VectorShape(scopes, vectors, 1, length, filters, 1, scopes), computed


def moved(array: Accelerator, shape: VectorShape, computed: list[int]) -> ArrayTraffic:
    costs = WordCosts(register_file=1, pe_to_pe=2, buffer=6)
    asked = DotProducts(shape, "conv", operands(shape), np.array(computed), costs, whole=False)
    return dataflow_of(array).traffic(array, asked)


@given(products())
@settings(max_examples=80, deadline=None)
def test_traffic_is_what_a_loop_over_every_mac_counts(
    drawn: tuple[Accelerator, VectorShape, list[int]],
) -> None:
    array, shape, computed = drawn
    traffic, pes, held = moved(array, shape, computed), array.pes, array.register_file_words - 2
    inputs = weights = outputs = registers = into_pes = 0
    for vectors in computed:
        for v, k, f in every(range(vectors), range(shape.length), range(shape.filters)):
            if array.dataflow == "broadcast":
                first, last = v == 0, k % held == held - 1 or k == shape.length - 1
                inputs += f % pes == 0
                weights += first
                registers += 1 + 2 + first  # the weight, the sum in and out, and the weight as it comes
                into_pes += 1 + first
            else:
                first, last = f == 0, k % pes == pes - 1 or k == shape.length - 1
                inputs += first
                weights += 1
                registers += 1 + first
                into_pes += 1 + first + (not last)  # the weight, the input, a sum from the PE before
            outputs += last
    macs = sum(computed) * shape.length * shape.filters
    assert (traffic.macs, traffic.register_file, traffic.pe_to_pe) == (macs, registers, into_pes)
    assert astuple(traffic.visits) == (inputs, weights, outputs)


@pytest.mark.parametrize("name", [f"{dataflow}-168" for dataflow in BUS])
def test_energy_of_training(name: str) -> None:
    """With HITs it takes less than without, where signatures are short of the filters."""
    shape = replace(VGG, filters=512)
    costs = layer_cost(preset(name), work(900, shape))
    for cost in costs.values():
        assert cost.mercury.accesses.mac < cost.baseline.accesses.mac
        assert min(cost.baseline.total, cost.mercury.total) > 0
    assert costs["paper"].mercury.total < costs["paper"].baseline.total


def test_every_product_takes_as_long() -> None:
    """Weights stay where they are in all three; in dW sums stay, which need no load."""
    found = dataflow_of(preset("broadcast-168")).cycles(
        preset("broadcast-168"), Work(VGG), list(get_args(Product))
    )
    baseline = {product: cycles["paper"].baseline for product, cycles in found.items()}
    assert baseline["forward"] == baseline["input_gradient"] == baseline["weight_gradient"] + 64 * 9
