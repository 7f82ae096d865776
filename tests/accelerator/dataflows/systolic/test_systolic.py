"""Layers on systolic arrays counted by hand, and what they refuse."""

from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.systolic_folding import SystolicStationary
from oracle.systolic_grids import AccumulatingGrid, StationaryGrid, Token
from oracle.systolic_stepper import step_product

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.count.layer_cycles import training_cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS
from mercuric.accelerator.dataflows.registry import DATAFLOWS
from mercuric.accelerator.dataflows.scopes import shared_out
from mercuric.accelerator.dataflows.systolic.fold_schedule import drained
from mercuric.accelerator.hardware import Accelerator, Design, preset
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap
from mercuric.trace.work import Product, Work

SYSTOLIC: tuple[SystolicStationary, ...] = get_args(SystolicStationary)
DESIGNS: tuple[Design, ...] = get_args(Design)

VGG = VectorShape(scopes=64, vectors=1024, rows=3, elements=3, filters=64, images=1, depth=64)
"""3x3 convolution, 64 channels to 64, one image of 32 x 32: windows of 9 elements, on 12 x 14 PEs."""


def hitmap(hits: int, shape: VectorShape = VGG) -> Hitmap:
    """The first vector misses, ``hits`` vectors reuse its result, the rest miss."""
    states = torch.full((shape.scopes, shape.vectors), 2, dtype=torch.uint8)
    states[:, 0], states[:, 1 : hits + 1] = 1, 0
    representatives = torch.arange(shape.vectors).repeat(shape.scopes, 1)
    representatives[:, 1 : hits + 1] = 0
    return Hitmap(states, representatives)


def forward(accelerator: Accelerator, work: Work) -> dict[str, Cycles]:
    return dict(DATAFLOWS[accelerator.dataflow].cycles(accelerator, work, ["forward"])["forward"])


def test_vgg_layer_on_a_weight_stationary_array() -> None:
    """ceil(9 / 12) = 1 by ceil(64 / 14) = 5 folds of vectors + 2 x 12 + 14 - 2 cycles a channel."""
    counted = forward(preset("weight-168"), Work(VGG, hitmap(512), bits=20))
    signature = 64 * 2 * (1024 + 36)
    assert counted["paper"] == Cycles(64 * 5 * (1024 + 36), 64 * 5 * (512 + 36), signature)
    assert counted["fair"] == Cycles(48 * 5 * (1024 + 36), 64 * 5 * (512 + 36), signature)


def test_vgg_layer_on_an_input_stationary_array() -> None:
    """512 misses fill 37 folds of 14 columns, and so do 512 HITs their port: nothing waits for it."""
    counted = forward(preset("input-168"), Work(VGG, hitmap(512), bits=20))
    signature = 64 * 74 * (20 + 36)
    assert counted["paper"] == Cycles(64 * 74 * (64 + 36), 64 * 37 * (64 + 36), signature)
    assert counted["fair"] == Cycles(48 * 74 * (64 + 36), 64 * 37 * (64 + 36), signature)


def test_vgg_layer_on_an_output_stationary_array() -> None:
    """512 misses fill 43 folds of 12 rows, which leave room for 43 x 12 HITs."""
    counted = forward(preset("output-168"), Work(VGG, hitmap(512), bits=20))
    signature = 64 * 86 * 2 * (9 + 24)
    assert counted["paper"] == Cycles(64 * 86 * 5 * (9 + 24), 64 * 43 * 5 * (9 + 24), signature)
    assert counted["fair"] == Cycles(86 * 5 * (576 + 24), 64 * 43 * 5 * (9 + 24), signature)


@pytest.mark.parametrize(
    ("dataflow", "stall"),
    [
        ("weight", 64 * 5 * (1000 - 24)),  # 1000 HITs in the time of 24 misses
        ("input", 64 * 64 * (72 - 2)),  # 72 groups of 14 HITs in the time of 2
        ("output", 64 * 5 * (1000 - 2 * 12)),  # 1000 HITs beside 2 folds of 12 rows
    ],
)
def test_hits_wait_for_their_port(dataflow: SystolicStationary, stall: int) -> None:
    counted = forward(preset(f"{dataflow}-168"), Work(VGG, hitmap(1000), bits=20))
    assert counted["paper"].stall == 0
    assert counted["fair"].stall == stall


def test_overlapping_folds_by_hand() -> None:
    """A load takes 12 cycles, 10 vectors stream, the last of them leaves 11 + 13 cycles after it came."""
    shape = VectorShape(1, 10, 1, 12, 56)
    work = Work(shape, hitmap(0, shape))
    asynchronous = preset("weight-168").changed(design="asynchronous", versions=4)
    assert forward(preset("weight-168"), work)["paper"].product == 4 * (10 + 36) == 184
    assert forward(asynchronous, work)["paper"].product == 12 + 3 * 12 + (11 + 10 + 13) == 82
    one = asynchronous.changed(versions=1)
    assert forward(one, work)["paper"].product == 12 + 4 * (11 + 10 + 13) == 148


def test_the_baseline_of_an_asynchronous_array_overlaps_its_folds_as_well() -> None:
    """4 folds of 10 vectors a scope, loaded in 12 cycles; two scopes apart, or as one of twice the depth."""
    one, two = VectorShape(1, 10, 1, 12, 56), VectorShape(2, 10, 1, 12, 56, depth=2)
    asynchronous = preset("weight-168").changed(design="asynchronous")
    for shape, cycles in ((one, 12 + 3 * 12 + 34), (two, 12 + 7 * 12 + 34)):
        counted = forward(asynchronous, Work(shape))
        assert (counted["paper"].baseline, counted["fair"].baseline) == (cycles, cycles)
    assert forward(preset("weight-168"), Work(one))["paper"].baseline == 184


@pytest.mark.parametrize("dataflow", SYSTOLIC)
def test_convolution_groups_are_products_of_their_own(dataflow: SystolicStationary) -> None:
    accelerator = preset(f"{dataflow}-168")
    grouped = VectorShape(scopes=24, vectors=50, rows=3, elements=3, filters=16, images=2, depth=3)
    whole = VectorShape(scopes=1, vectors=100, rows=9, elements=3, filters=16)
    for product in get_args(Product):
        counted = DATAFLOWS[dataflow].cycles(accelerator, Work(grouped), [product])[product]["fair"]
        one = DATAFLOWS[dataflow].cycles(accelerator, Work(whole), [product])[product]["fair"]
        assert counted.baseline == 4 * one.baseline


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("dataflow", SYSTOLIC)
def test_reuse_that_is_off_costs_the_baseline(dataflow: SystolicStationary, design: Design) -> None:
    accelerator = preset(f"{dataflow}-168").changed(design=design)
    for cycles in training_cycles(accelerator, Work(VGG)).values():
        for product in (cycles.forward, cycles.input_gradient, cycles.weight_gradient):
            assert product == Cycles(product.baseline, product.baseline)
            assert product.baseline > 0


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("dataflow", SYSTOLIC)
@pytest.mark.parametrize(("scopes", "vectors", "images"), [(0, 4, 0), (6, 0, 2)])
def test_no_work_costs_nothing(
    dataflow: SystolicStationary, design: Design, scopes: int, vectors: int, images: int
) -> None:
    shape = VectorShape(scopes, vectors, 3, 3, 8, images, 3)
    states = torch.zeros(scopes, vectors, dtype=torch.uint8)
    accelerator = preset(f"{dataflow}-168").changed(design=design)
    for cycles in training_cycles(accelerator, Work(shape, Hitmap(states, states.long()), 20)).values():
        assert cycles.total == Cycles()


@pytest.mark.parametrize("dataflow", SYSTOLIC)
def test_hits_alone(dataflow: SystolicStationary) -> None:
    states = torch.zeros(64, 1024, dtype=torch.uint8)
    states[:3] = 1
    with pytest.raises(ValueError, match="hitmap had HITs alone in scope 3"):
        forward(preset(f"{dataflow}-168"), Work(VGG, Hitmap(states, states.long()), 20))


@pytest.mark.parametrize("dataflow", SYSTOLIC)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pipelined_signatures", False),
        ("mac_unit", True),
        ("arrival", "interleaved"),
        ("late_hits", "wait"),
        ("late_hits", "recompute"),
    ],
)
def test_options_that_mean_nothing(dataflow: SystolicStationary, field: str, value: object) -> None:
    message = (
        f"{field} of accelerator '{dataflow}-168' was {value!r}, but must be .* dataflow is '{dataflow}'"
    )
    with pytest.raises(ValueError, match=message):
        preset(f"{dataflow}-168").changed(**{field: value})


def test_insertion_queues_of_overlapping_input_stationary_folds() -> None:
    assert preset("input-168").changed(insertion_queue=1).insertion_queue == 1
    assert preset("weight-168").changed(insertion_queue=1, design="asynchronous").insertion_queue == 1
    with pytest.raises(
        ValueError, match="insertion_queue of accelerator 'input-168' was 1, but must be None"
    ):
        preset("input-168").changed(insertion_queue=1, design="asynchronous")


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=5))
def test_shares_are_even_and_add_up(drawn: list[tuple[int, int, int]]) -> None:
    folds, *totals = (np.array(part) for part in zip(*drawn, strict=True))
    count, *shares = shared_out(folds, *totals)
    assert np.array_equal(count.sum(axis=1), folds)
    for share, total in zip(shares, totals, strict=True):
        for times, of_runs, whole in zip(count, share, total, strict=True):
            of_folds = np.repeat(of_runs, times)
            assert of_folds.sum() == whole
            assert of_folds[0] - of_folds[-1] <= 1
            assert np.all(np.diff(of_folds) <= 0)


FOLD = st.tuples(
    st.integers(0, 9), st.integers(1, 9), st.integers(0, 3), st.integers(0, 9), st.integers(1, 9)
)


@given(
    folds=st.lists(st.tuples(st.integers(1, 60), FOLD), min_size=1, max_size=4),
    skew=st.integers(0, 9),
    versions=st.integers(1, 6),
    load_waits=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_runs_of_equal_folds_equal_the_folds_one_by_one(
    folds: list[tuple[int, tuple[int, ...]]], skew: int, versions: int, load_waits: bool
) -> None:
    runs = np.array([[[count, *fold] for count, fold in folds]])
    singles = np.array([[[1, *fold] for count, fold in folds for _ in range(count)]])
    signatures = np.array([[[30, *folds[0][1]]]])
    lone = np.repeat(np.array([[[1, *folds[0][1]]]]), 30, axis=1)
    assert drained(signatures, runs, skew, versions, load_waits) == drained(
        lone, singles, skew, versions, load_waits
    )


def test_a_stream_before_its_load_is_found_out() -> None:
    grid = StationaryGrid(1, 1)
    grid.step({}, {0: Token(0, 0, 5)})
    assert grid.step({0: Token(0, 0, 3)}, {})[0].value == 15
    with pytest.raises(RuntimeError, match="fold 1 streamed into PE 0, 0 before it was loaded"):
        grid.step({0: Token(1, 0, 3)}, {})


def test_two_results_on_one_wire_are_found_out() -> None:
    grid = AccumulatingGrid(2, 1)
    grid.step({0: Token(0, 0, 2, last=True)}, {0: Token(0, 0, 3, last=True)})
    entering = {0: Token(1, 0, 1, last=True), 1: Token(0, 0, 4, last=True)}
    with pytest.raises(RuntimeError, match="two results left column 0 in one cycle"):
        grid.step(entering, {0: Token(1, 0, 1, last=True)})


def test_operands_of_two_folds_are_found_out() -> None:
    with pytest.raises(RuntimeError, match="operands that do not belong together"):
        AccumulatingGrid(1, 1).step({0: Token(0, 0, 2)}, {0: Token(1, 0, 3)})


def test_an_array_without_pes() -> None:
    with pytest.raises(ValueError, match="rows, columns and versions were 0, 1 and 1"):
        step_product("weight", "forward", [], 0, 1)


def test_both_timings_are_there() -> None:
    assert tuple(forward(preset("weight-168"), Work(VGG))) == TIMINGS
