"""Layers counted by hand."""

import numpy as np
import pytest
import torch

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.count.layer_cycles import product_cycles, training_cycles
from mercuric.accelerator.dataflows.row_stationary.cycles import (
    baseline_cycles,
    cycles,
    signature_cycles,
)
from mercuric.accelerator.dataflows.row_stationary.pe_sets import (
    block_owners,
    block_sizes,
    misses_of_sets,
    pe_sets,
)
from mercuric.accelerator.hardware import Accelerator, preset
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap
from mercuric.trace.work import Work

EYERISS = preset("eyeriss-168").changed(dealing="vectors")
VGG = VectorShape(scopes=64, vectors=32 * 32, rows=3, elements=3, filters=64, output_rows=32)
"""3x3 convolution, 64 channels to 64, one image of 32 x 32.

168 / 3 = 56 PE sets; 1024 = 56 x 18 + 16: sixteen blocks of 19 vectors, forty of 18.
"""


def hitmap(states: torch.Tensor) -> Hitmap:
    return Hitmap(states, torch.arange(states.shape[1]).expand(states.shape))


HALF = Work(VGG, hitmap(torch.tensor([1, 0] * 512, dtype=torch.uint8).repeat(64, 1)), bits=20)
"""Every second vector of VGG a HIT."""


def test_vgg_layer_without_reuse() -> None:
    assert baseline_cycles(EYERISS, VGG, "paper") == 64 * 64 * 19 * 6 == 466_944
    assert baseline_cycles(EYERISS, VGG, "fair") == 64 * (64 * 19 * 3 + 4) == 233_728


def test_vgg_layer_signatures() -> None:
    assert signature_cycles(EYERISS, VGG, bits=20) == 64 * (20 * 19 * 3 + 4) == 73_216
    assert signature_cycles(EYERISS, VGG, bits=0) == 0
    unpipelined = EYERISS.changed(pipelined_signatures=False)
    assert signature_cycles(unpipelined, VGG, bits=20) == 64 * 20 * 19 * 6 == 145_920


def test_vgg_layer_with_mac_units() -> None:
    """A lone dot product takes 2k - 1, and a pipelined stream drains a cycle sooner."""
    mac = EYERISS.changed(mac_unit=True)
    assert baseline_cycles(mac, VGG, "paper") == 64 * 64 * 19 * 5
    assert baseline_cycles(mac, VGG, "fair") == 64 * (64 * 19 * 3 + 3)
    assert signature_cycles(mac, VGG, bits=20) == 64 * (20 * 19 * 3 + 3)


def test_vgg_layer_with_every_second_vector_a_hit() -> None:
    """A block of 19 that begins with a miss has 10 misses and 9 hits; no set is slower."""
    states = torch.tensor([1, 0] * 512, dtype=torch.uint8).expand(64, -1)
    product = product_cycles(EYERISS, Work(VGG, hitmap(states)))
    assert product["paper"].product == 64 * 64 * (10 * 6 + 9) == 282_624
    assert product["fair"].product == 64 * 64 * (10 * 3 + 4 + 9) == 176_128


def test_vgg_layer_whose_rows_are_dealt() -> None:
    """56 PE sets, 32 of which have a row of 32 vectors, every second of them a HIT; 24 have none."""
    array = preset("eyeriss-168")
    counted = product_cycles(array, HALF)
    assert counted["paper"] == Cycles(64 * 64 * 32 * 6, 64 * 64 * (16 * 6 + 16), 64 * (20 * 32 * 3 + 4))
    assert counted["paper"] == Cycles(786_432, 458_752, 123_136)
    assert counted["fair"] == Cycles(
        64 * (64 * 32 * 3 + 4), 64 * 64 * (16 * 3 + 4 + 16), 64 * (20 * 32 * 3 + 4)
    )
    assert counted["fair"] == Cycles(393_472, 278_528, 123_136)


def test_fully_connected_layer() -> None:
    """Paper III-C3: one PE an input; 200 inputs on 168 PEs make two rounds."""
    linear = VectorShape(scopes=1, vectors=200, rows=1, elements=512, filters=10)
    assert baseline_cycles(EYERISS, linear, "paper") == 10 * 2 * 513
    assert baseline_cycles(EYERISS, linear, "fair") == 10 * 2 * 512 + 2
    states = torch.ones(1, 200, dtype=torch.uint8)
    states[0, :64:2] = 0  # the first 32 PEs have two inputs each, one of them a hit
    product = cycles(EYERISS, Work(linear, hitmap(states)), ["forward"])["forward"]
    assert product["paper"].product == 10 * (513 + 1)
    assert product["fair"].product == 10 * (512 + 2 + 1)


def test_without_a_hit_the_paper_timing_costs_the_baseline() -> None:
    states = torch.full((64, 1024), 2, dtype=torch.uint8)
    product = product_cycles(EYERISS, Work(VGG, hitmap(states)))
    assert product["paper"].mercury == baseline_cycles(EYERISS, VGG, "paper")
    assert product["fair"].mercury == baseline_cycles(EYERISS, VGG, "fair") + 64 * 63 * 4


def test_no_work_costs_nothing() -> None:
    empty = VectorShape(scopes=3, vectors=0, rows=3, elements=3, filters=8)
    assert baseline_cycles(EYERISS, empty, "fair") == signature_cycles(EYERISS, empty, 20) == 0
    nothing = Work(empty, hitmap(torch.zeros(3, 0, dtype=torch.uint8)), bits=20)
    for fields in ({}, {"design": "asynchronous"}, {"late_hits": "wait"}, {"arrival": "interleaved"}):
        counted = training_cycles(EYERISS.changed(**fields), nothing)
        assert counted["paper"].total == counted["fair"].total == Cycles()


def test_backward_products_cost_the_forward_one_without_signatures() -> None:
    forward = product_cycles(EYERISS, HALF)["paper"]
    assert forward == Cycles(baseline=466_944, product=282_624, signature=73_216)
    trained = training_cycles(EYERISS, HALF)["paper"]
    assert trained.forward == forward
    assert trained.input_gradient == trained.weight_gradient == Cycles(466_944, 282_624, 0)
    first = training_cycles(EYERISS, HALF, needs_input_gradient=False)["paper"]
    assert first.total == Cycles(2 * 466_944, 2 * 282_624, 73_216)
    assert training_cycles(EYERISS, HALF, training=False)["paper"].total == forward


def test_a_layer_without_reuse_costs_the_baseline_on_both_sides() -> None:
    off = training_cycles(EYERISS, Work(VGG))
    assert off["paper"].total == Cycles(3 * 466_944, 3 * 466_944)
    assert off["fair"].total == Cycles(3 * 233_728, 3 * 233_728)


def test_cycles_add_up() -> None:
    counted = Cycles(12, 3, 2, 1)
    assert counted + counted == Cycles(24, 6, 4, 2)
    assert (counted.mercury, counted.speedup) == (6, 2.0)
    assert Cycles().speedup == 1.0


@pytest.mark.parametrize(
    ("vectors", "sets", "sizes"), [(10, 4, (3, 2)), (8, 4, (0, 2)), (3, 4, (1, 0)), (0, 4, (0, 0))]
)
def test_block_sizes(vectors: int, sets: int, sizes: tuple[int, int]) -> None:
    assert block_sizes(vectors, sets) == sizes


def test_misses_of_sets() -> None:
    """Ten vectors on four PE sets: blocks 3, 3, 2, 2."""
    states = torch.tensor([[1, 0, 0, 2, 1, 0, 0, 0, 0, 1], [0] * 10], dtype=torch.uint8)
    assert np.array_equal(misses_of_sets(states, block_owners(states.shape[1], 4)), [[1, 2, 0, 1], [0] * 4])


def test_a_kernel_taller_than_the_array() -> None:
    tiny = Accelerator(name="tiny", rows=1, columns=2, clock_mhz=1, entries=None, ways=1)
    with pytest.raises(ValueError, match="'tiny' has 2 PEs, but a kernel of 3 rows needs at least 3"):
        pe_sets(tiny, 3)


def test_states_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"shape \(64, 3\), but must be torch.uint8 of shape \(64, 1024\)"):
        Work(VGG, hitmap(torch.zeros(64, 3, dtype=torch.uint8)))
    with pytest.raises(ValueError, match=r"states was torch.int64"):
        Work(VGG, hitmap(torch.zeros(64, 1024, dtype=torch.int64)))


def test_negative_bits() -> None:
    with pytest.raises(ValueError, match="bits was -1"):
        Work(VGG, bits=-1)
