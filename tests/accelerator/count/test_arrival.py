"""In which order do signatures reach the MCACHE, and who is reused then?"""

from dataclasses import replace

import pytest
import torch
from drawn_layers import by_position, mcache, raster
from hypothesis import given, settings
from hypothesis import strategies as st

import mercuric
from mercuric import ReuseConfig, data, zoo
from mercuric.accelerator.count.arrival import counted_work
from mercuric.accelerator.hardware import Accelerator, preset
from mercuric.reuse.observation import Observation
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap, MCache

RASTER = Accelerator(name="drawn", rows=3, columns=2, clock_mhz=1, entries=4, ways=2)
INTERLEAVED = RASTER.changed(arrival="interleaved")
QUEUED = INTERLEAVED.changed(insertion_queue=2)


def observed(signatures: torch.Tensor, context: torch.Tensor | None = None) -> Observation:
    hitmap = MCache(4, 2).access(signatures, context)
    shape = VectorShape(*signatures.shape[:2], rows=3, elements=3, filters=2)
    return Observation("conv", shape, hitmap, 4, True, signatures=signatures, context=context)


def found(observation: Observation, accelerator: Accelerator) -> Hitmap:
    hitmap = counted_work(observation, accelerator).hitmap
    assert hitmap is not None
    return hitmap


@given(st.lists(st.integers(0, 9), max_size=20))
@settings(deadline=None)
def test_the_mcache_sees_heads_of_blocks_first(signatures: list[int]) -> None:
    """PE sets finish a signature each at a time: two sets of three rows here."""
    observation = observed(torch.tensor([signatures, signatures[::-1]], dtype=torch.int64).reshape(2, -1))
    for accelerator, order in (
        (RASTER, raster(len(signatures))),
        (INTERLEAVED, by_position(len(signatures), 2)),
    ):
        hitmap = found(observation, accelerator)
        for scope, drawn in enumerate((signatures, signatures[::-1])):
            states, representatives = mcache(drawn, order, 2, 2)
            assert hitmap.states[scope].tolist() == states
            assert hitmap.representatives[scope].tolist() == representatives


@given(st.lists(st.integers(0, 9), max_size=20))
@settings(deadline=None)
def test_the_order_changes_no_number_of_hits_while_there_is_room(signatures: list[int]) -> None:
    observation = observed(torch.tensor([signatures], dtype=torch.int64).reshape(1, -1))
    hitmap = found(observation, INTERLEAVED.changed(entries=None))
    assert int(hitmap.hits.sum()) == len(signatures) - len(set(signatures))


def test_the_context_is_compared_as_well() -> None:
    signatures = torch.zeros(1, 4, dtype=torch.int64)
    context = torch.tensor([[0, 1, 1, 0]])
    assert found(observed(signatures), INTERLEAVED).representatives.tolist() == [[0, 0, 0, 0]]
    hitmap = found(observed(signatures, context), INTERLEAVED)
    assert hitmap.representatives.tolist() == [[0, 2, 2, 0]]  # 2 arrives before 1
    assert hitmap.states.tolist() == [[1, 0, 1, 0]]


def test_two_words() -> None:
    signatures = torch.tensor([[[1, 5], [1, 6], [1, 6], [1, 5]]])
    assert found(observed(signatures), INTERLEAVED).representatives.tolist() == [[0, 2, 2, 0]]
    assert counted_work(observed(signatures), QUEUED).cache_sets.tolist() == [[1, 1, 1, 1]]


@pytest.mark.parametrize(
    "elsewhere", [{"kind": "linear"}, {"kind": "attention"}, {"signatures": None, "hitmap": None}]
)
def test_others_arrive_by_raster(elsewhere: dict[str, object]) -> None:
    observation = replace(observed(torch.tensor([[0, 1, 1, 0]])), **elsewhere)
    assert counted_work(observation, INTERLEAVED).hitmap is observation.hitmap


def test_signatures_that_are_missing() -> None:
    unsigned = replace(observed(torch.tensor([[0, 1]])), signatures=None)
    assert counted_work(unsigned, RASTER).hitmap is unsigned.hitmap
    with pytest.raises(ValueError, match="signatures of layer 'conv' were None, but arrival='interleaved'"):
        counted_work(unsigned, INTERLEAVED)


@pytest.mark.parametrize("design", ["synchronous", "asynchronous"])
def test_a_network_on_an_array_with_everything_on(design: str) -> None:
    torch.manual_seed(0)
    model = zoo.build("custom-cnn", 7, 3, 16)
    images = data.load("photos", image_size=16).train.batch(torch.arange(2))[0]
    everything = preset("eyeriss-168").changed(
        design=design, arrival="interleaved", late_hits="wait", insertion_queue=2, mac_unit=True
    )
    config = ReuseConfig(entries=1024, ways=16)
    plain = mercuric.simulate(model, images, everything.changed(arrival="raster"), config)
    result = mercuric.simulate(model, images, everything, config)
    for timing in ("paper", "fair"):
        cycles = result.cycles(timing)
        assert cycles.stall > 0
        assert cycles.baseline == plain.cycles(timing).baseline
        assert cycles != plain.cycles(timing)
    assert result.counter.products().weight_gradient.signature == 0
