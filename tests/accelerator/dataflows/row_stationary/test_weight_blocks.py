"""Fully connected layers whose vectors are cut into blocks (III-C3 read literally): by hand, and stepped."""

from dataclasses import dataclass

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracle.fully_connected_stepper import Array, ScopeInputs, SteppedLayer, step_fully_connected

from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.dataflows.row_stationary.fully_connected import Schedule, block_sources, cycles
from mercuric.accelerator.dataflows.row_stationary.weight_blocks import (
    block_starts,
    dense_rounds,
    inputs_of_a_part,
)
from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.vectors import VectorShape, row_vectors
from mercuric.similarity.hitmap import Hitmap, HitState
from mercuric.trace.work import Work

Rows = list[list[int]]


def accelerator(pes: int, **fields: object) -> Accelerator:
    made = Accelerator(name="drawn", rows=1, columns=pes, clock_mhz=1, entries=None, ways=1)
    return made.changed(**fields)


@dataclass(frozen=True)
class Layer:
    """Inputs (image, vector, element), filters (filter, element), and signatures (image, block, vector)."""

    inputs: list[Rows]
    filters: Rows
    signatures: list[Rows]
    bits: int

    @property
    def cut(self) -> int:
        return len(self.signatures[0])

    @property
    def shape(self) -> VectorShape:
        images, vectors, length = len(self.inputs), len(self.inputs[0]), len(self.filters[0]) // self.cut
        return VectorShape(images * self.cut, vectors, 1, length, len(self.filters), images, self.cut)

    @property
    def representatives(self) -> list[Rows]:
        """(image, block, vector): the first vector of the same signature."""
        return [[[row.index(one) for one in row] for row in image] for image in self.signatures]

    @property
    def work(self) -> Work:
        scopes = torch.tensor([row for image in self.representatives for row in image])
        own = scopes == torch.arange(scopes.shape[1])
        states = torch.where(own, int(HitState.MAU), int(HitState.HIT)).to(torch.uint8)
        return Work(self.shape, Hitmap(states, scopes), self.bits, "linear")

    def _of(self, row: list[int], block: int) -> list[int]:
        length = len(row) // self.cut
        return row[block * length : (block + 1) * length]

    def step(self, here: Accelerator, timing: Timing, bits: int) -> SteppedLayer:
        scopes = [
            ScopeInputs(
                [self._of(row, block) for row in image],
                [
                    int(HitState.HIT if one != place else HitState.MAU)
                    for place, one in enumerate(same[block])
                ],
                same[block],
                [self._of(row, block) for row in self.filters],
            )
            for block in range(self.cut)
            for image, same in zip(self.inputs, self.representatives, strict=True)
        ]
        array = Array(
            here.pes,
            asynchronous=here.design == "asynchronous",
            pipelined=timing == "fair",
            pipelined_signatures=here.pipelined_signatures,
            mac_unit=here.mac_unit,
        )
        random_filters = [[3 * bit + 1] * self.shape.length for bit in range(bits)]
        anew = len(self.inputs) if here.blocks_at_once == "consecutive" else None
        return step_fully_connected(scopes, self._of_first(), random_filters, array, anew)

    def _of_first(self) -> Rows:
        return [self._of(row, 0) for row in self.filters]


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    images, vectors, cut, length = (draw(st.integers(1, most)) for most in (2, 6, 4, 3))
    row = st.lists(st.integers(-9, 9), min_size=cut * length, max_size=cut * length)
    signature = st.lists(st.integers(0, draw(st.integers(0, 3))), min_size=vectors, max_size=vectors)
    return Layer(
        [draw(st.lists(row, min_size=vectors, max_size=vectors)) for _ in range(images)],
        draw(st.lists(row, min_size=1, max_size=4)),
        [draw(st.lists(signature, min_size=cut, max_size=cut)) for _ in range(images)],
        draw(st.integers(0, 2)),
    )


ARRAYS = st.builds(
    accelerator,
    st.integers(1, 9),
    design=st.sampled_from(["synchronous", "asynchronous"]),
    pipelined_signatures=st.booleans(),
    mac_unit=st.booleans(),
    blocks_at_once=st.sampled_from(["consecutive", "all"]),
)
ALIKE = Layer([[[1] * 4] * 3], [[2] * 4] * 3, [[[0] * 3, [0, 1, 0]]], 1)


@given(layers(), ARRAYS, st.sampled_from(TIMINGS))
@example(ALIKE, accelerator(4, design="asynchronous"), "paper")
@example(ALIKE, accelerator(4, blocks_at_once="all"), "fair")
@settings(max_examples=60, deadline=None)
def test_cycles_equal_the_stepper(layer: Layer, here: Accelerator, timing: Timing) -> None:
    counted = cycles(here, layer.work, ["forward", "weight_gradient"])
    assert counted["forward"][timing].mercury == layer.step(here, timing, layer.bits).cycles
    assert counted["weight_gradient"][timing].mercury == layer.step(here, timing, 0).cycles


@given(layers(), ARRAYS, st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_the_schedule_is_its_definition(layer: Layer, here: Accelerator, timing: Timing) -> None:
    representatives, part = layer.work.hitmap, inputs_of_a_part(here, layer.shape)
    assert representatives is not None
    sources = block_sources(representatives.representatives, layer.shape.images, here.pes, layer.cut, part)
    schedule = Schedule.of(here, layer.shape, layer.bits, timing)
    assert schedule.total(sources) == schedule.total_by_definition(sources)


@given(layers(), ARRAYS)
@settings(max_examples=40, deadline=None)
def test_blocks_of_inputs_that_match_nothing_add_up_to_the_product(layer: Layer, here: Accelerator) -> None:
    stepped, images = layer.step(here, "paper", layer.bits).outputs, len(layer.inputs)
    for image, (rows, same) in enumerate(zip(layer.inputs, layer.representatives, strict=True)):
        for vector, row in enumerate(rows):
            if any(block[vector] != vector for block in same):
                continue
            parts = [stepped[block * images + image][vector] for block in range(layer.cut)]
            expected = [sum(a * b for a, b in zip(row, one, strict=True)) for one in layer.filters]
            assert [sum(results) for results in zip(*parts, strict=True)] == expected


@given(layers(), ARRAYS)
@settings(max_examples=60, deadline=None)
def test_without_hits_and_signatures_nothing_is_gained(layer: Layer, here: Accelerator) -> None:
    """The baseline uses free PEs as MERCURY does, so that what is above 1 is reuse's."""
    apart = [[list(range(len(row))) for row in image] for image in layer.signatures]
    alone = Layer(layer.inputs, layer.filters, apart, 0)
    counted = cycles(here, alone.work, ["forward"])["forward"]
    assert counted["paper"].mercury == counted["paper"].baseline
    assert counted["fair"].mercury >= counted["fair"].baseline


@given(st.integers(0, 40), st.integers(1, 9), st.integers(1, 2))
def test_one_weight_block_fills_all_pes(inputs: int, pes: int, lag: int) -> None:
    assert dense_rounds(block_starts(inputs, pes), pes, lag) == -(-inputs // pes)


@given(layers(), ARRAYS)
@settings(max_examples=40, deadline=None)
def test_all_blocks_at_once_are_never_slower_for_the_baseline(layer: Layer, here: Accelerator) -> None:
    one = cycles(here.changed(blocks_at_once="consecutive"), layer.work, ["forward"])["forward"]
    every = cycles(here.changed(blocks_at_once="all"), layer.work, ["forward"])["forward"]
    assert all(every[timing].baseline <= one[timing].baseline for timing in TIMINGS)


@pytest.mark.parametrize(
    ("fields", "baseline", "mercury"),
    [
        ({}, 18, 30),
        ({"design": "asynchronous"}, 12, 20),
        ({"blocks_at_once": "all"}, 6, 10),
        ({"blocks_at_once": "all", "design": "asynchronous"}, 6, 10),
    ],
)
def test_one_input_by_hand(fields: dict[str, object], baseline: int, mercury: int) -> None:
    """One input of 6 elements, cut into 3, two weights, one bit, four PEs: a product takes 3 cycles.

    A block takes 6 cycles for its two products and 4 for its signature. One after the other: 18 and 30; two
    at a time: 12 and 20; all three side by side: 6 and 10.
    """
    layer = Layer([[[1, 2, 3, 4, 5, 6]]], [[1] * 6, [2] * 6], [[[0], [0], [0]]], 1)
    counted = cycles(accelerator(4, **fields), layer.work, ["forward"])["forward"]["paper"]
    assert (counted.baseline, counted.mercury) == (baseline, mercury)


@pytest.mark.parametrize(
    ("length", "blocks", "cut"), [(6, 1, 1), (6, 3, 3), (6, 4, 3), (1000, 128, 125), (7, 6, 1), (3, 9, 3)]
)
def test_vectors_are_cut_into_equal_blocks(length: int, blocks: int, cut: int) -> None:
    shape = row_vectors((4, length), 5, "image", blocks)
    assert shape == VectorShape(cut, 4, 1, length // cut, 5, 1, cut)
    assert shape.macs == row_vectors((4, length), 5, "image").macs


def test_who_has_no_free_pes_and_what_is_no_number() -> None:
    with pytest.raises(
        ValueError, match="weight_blocks of accelerator 'drawn' was 0, but must be at least 1"
    ):
        accelerator(4, weight_blocks=0)
    with pytest.raises(ValueError, match="blocks_at_once of accelerator 'drawn' was 'all', but must be"):
        accelerator(4, dataflow="weight", blocks_at_once="all")
