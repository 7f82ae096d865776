"""Fully connected layers and attention (paper III-C3, III-C4): by hand, and against the stepper."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mercuric.accelerator.cycles import Cycles
from mercuric.accelerator.dataflow import product_cycles, training_cycles
from mercuric.accelerator.dot_product import TIMINGS, Timing
from mercuric.accelerator.dot_product_stepper import DotProducts
from mercuric.accelerator.fully_connected import HIT, BlockTimes, block_sends, cycles
from mercuric.accelerator.fully_connected_stepper import (
    Array,
    ScopeInputs,
    SteppedLayer,
    step_fully_connected,
)
from mercuric.accelerator.hardware import Accelerator, preset
from mercuric.accelerator.work import Work
from mercuric.reuse.vectors import VectorShape, attention_vectors, row_vectors
from mercuric.similarity.hitmap import Hitmap, HitState

DESIGNS = ("synchronous", "asynchronous")


def accelerator(pes: int, **fields: object) -> Accelerator:
    made = Accelerator(name="drawn", rows=1, columns=pes, clock_mhz=1, entries=None, ways=1)
    return made.changed(**fields)


def hitmap(scopes: Sequence[Sequence[object]], entries: int = 99) -> Hitmap:
    """Each scope's vectors by signature; those beyond ``entries`` signatures find the MCACHE full."""
    states: list[list[int]] = []
    representatives: list[list[int]] = []
    for signatures in scopes:
        first: dict[object, int] = {}
        states.append([])
        representatives.append([])
        for vector, signature in enumerate(signatures):
            hit = signature in first
            if not hit and len(first) < entries:
                first[signature] = vector
            state = HitState.HIT if hit else HitState.MAU if signature in first else HitState.MNU
            states[-1].append(int(state))
            representatives[-1].append(first.get(signature, vector))
    vectors = len(scopes[0])
    return Hitmap(
        torch.tensor(states, dtype=torch.uint8).reshape(len(scopes), vectors),
        torch.tensor(representatives).reshape(len(scopes), vectors).long(),
    )


def linear(scopes: Sequence[Sequence[object]], length: int, filters: int, bits: int) -> Work:
    shape = VectorShape(len(scopes), len(scopes[0]), 1, length, filters, images=len(scopes))
    return Work(shape, hitmap(scopes), bits, "linear")


@dataclass(frozen=True)
class Layer:
    pes: int
    scopes: list[list[list[int]]]
    filters: list[list[int]]
    hitmap: Hitmap
    bits: int

    @property
    def shape(self) -> VectorShape:
        length, scopes = len(self.filters[0]), len(self.scopes)
        return VectorShape(scopes, len(self.scopes[0]), 1, length, len(self.filters), images=scopes)

    def accelerator(self, **fields: object) -> Accelerator:
        return accelerator(self.pes, **fields)

    def step(self, accelerator: Accelerator, timing: Timing, **changes: bool) -> SteppedLayer:
        array = Array(
            accelerator.pes,
            asynchronous=accelerator.design == "asynchronous",
            pipelined=timing == "fair",
            pipelined_signatures=accelerator.pipelined_signatures,
            mac_unit=accelerator.mac_unit,
        )
        hitmap = zip(self.hitmap.states.tolist(), self.hitmap.representatives.tolist(), strict=True)
        inputs = [
            ScopeInputs(vectors, self.filters, states, representatives)
            for vectors, (states, representatives) in zip(self.scopes, hitmap, strict=True)
        ]
        random_filters = [[3 * bit + 1] * len(self.filters[0]) for bit in range(self.bits)]
        return step_fully_connected(inputs, random_filters, replace(array, **changes))


def rows(length: int, least: int, most: int) -> st.SearchStrategy[list[list[int]]]:
    row = st.lists(st.integers(-9, 9), min_size=length, max_size=length)
    return st.lists(row, min_size=least, max_size=most)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    length, scopes, vectors = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(0, 11))
    signature = st.lists(st.integers(0, draw(st.integers(0, 5))), min_size=vectors, max_size=vectors)
    signatures = draw(st.lists(signature, min_size=scopes, max_size=scopes))
    return Layer(
        draw(st.integers(1, 7)),
        [draw(rows(length, vectors, vectors)) for _ in range(scopes)],
        draw(rows(length, 1, 4)),
        hitmap(signatures, draw(st.integers(0, 4))),
        draw(st.integers(0, 3)),
    )


ACCELERATORS = st.fixed_dictionaries(
    {"design": st.sampled_from(DESIGNS), "pipelined_signatures": st.booleans(), "mac_unit": st.booleans()}
)
ALL_ALIKE = Layer(7, [[[1]] * 11] * 2, [[2]] * 4, hitmap([[0] * 11] * 2), 1)
SLOW_SENDER = Layer(5, [[[1]] * 10], [[2]] * 3, hitmap(["abbbbccccd"]), 1)


@given(layers(), ACCELERATORS, st.sampled_from(TIMINGS))
@example(ALL_ALIKE, {"design": "asynchronous"}, "fair")
@example(SLOW_SENDER, {"design": "asynchronous"}, "paper")
@settings(max_examples=60, deadline=None)
def test_cycles_equal_the_stepper(layer: Layer, fields: dict[str, object], timing: Timing) -> None:
    here = layer.accelerator(**fields)
    work = Work(layer.shape, layer.hitmap, layer.bits, "linear")
    counted = cycles(here, work, ["forward", "weight_gradient"])
    forward, backward = counted["forward"][timing], counted["weight_gradient"][timing]
    saved = replace(layer, bits=0)
    assert forward.mercury == layer.step(here, timing).cycles
    assert forward.stall == forward.mercury - layer.step(here, timing, free_sends=True).cycles
    assert backward.mercury == saved.step(here, timing).cycles
    assert forward.product == backward.product == saved.step(here, timing, free_sends=True).cycles


@given(layers(), ACCELERATORS, st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_the_stepper_gives_each_vector_the_first_alike_one_of_its_block(
    layer: Layer, fields: dict[str, object], timing: Timing
) -> None:
    expected = []
    for vectors, groups in zip(layer.scopes, layer.hitmap.representatives.tolist(), strict=True):
        computed: dict[tuple[int, int], list[int]] = {}
        for vector, (row, group) in enumerate(zip(vectors, groups, strict=True)):
            computed.setdefault((vector // layer.pes, group), row)
        expected.append(
            [
                [
                    sum(a * b for a, b in zip(computed[vector // layer.pes, group], weights, strict=True))
                    for weights in layer.filters
                ]
                for vector, group in enumerate(groups)
            ]
        )
    assert layer.step(layer.accelerator(**fields), timing).outputs == expected


@given(layers(), ACCELERATORS, st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_the_compiled_recurrence_equals_its_definition(
    layer: Layer, fields: dict[str, object], timing: Timing
) -> None:
    sends = block_sends(layer.hitmap.representatives, layer.pes)
    times = BlockTimes.of(layer.accelerator(**fields), layer.shape, layer.bits, timing)
    assert times.total(sends) == times.total_by_definition(sends)


@given(layers(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_baseline_equals_the_dot_products_of_the_first_pe(layer: Layer, mac_unit: bool) -> None:
    """The first PE has an input of every block: of each scope's, or of the images' together."""
    here = layer.accelerator(mac_unit=mac_unit)
    counted = product_cycles(here, Work(layer.shape, kind="linear"))
    by_scope = [row for scope in layer.scopes for row in scope[:: layer.pes]]
    together = [row for scope in layer.scopes for row in scope][:: layer.pes]
    assert counted["paper"].baseline == busy(by_scope, layer.filters, pipelined=False, mac_unit=mac_unit)
    assert counted["fair"].baseline == busy(together, layer.filters, pipelined=True, mac_unit=mac_unit)


def busy(inputs: list[list[int]], filters: list[list[int]], *, pipelined: bool, mac_unit: bool) -> int:
    # A dot product is the same with its factors exchanged: one weight vector meets all inputs.
    cycle = 0
    weights = [row for row in inputs for _ in filters]
    stream = DotProducts(filters[0], weights, pipelined=pipelined, mac_unit=mac_unit)
    while not stream.finished:
        cycle += 1
        stream.step(cycle)
        stream.result = None
    return cycle


@given(layers(), ACCELERATORS)
@settings(max_examples=60, deadline=None)
def test_reuse_never_takes_fewer_cycles_than_the_baseline(layer: Layer, fields: dict[str, object]) -> None:
    """The first PE holds the first input of every block, which nothing in its block came before."""
    here = layer.accelerator(**fields)
    counted = product_cycles(here, Work(layer.shape, layer.hitmap, layer.bits, "linear"))
    for timing in TIMINGS:
        assert counted[timing].product >= counted[timing].baseline
        assert min(counted[timing].signature, counted[timing].stall) >= 0


@given(layers(), st.sampled_from(TIMINGS))
@settings(max_examples=60, deadline=None)
def test_the_asynchronous_design_is_never_slower(layer: Layer, timing: Timing) -> None:
    work = Work(layer.shape, layer.hitmap, layer.bits, "linear")
    synchronous, asynchronous = (
        product_cycles(layer.accelerator(design=design), work)[timing].mercury for design in DESIGNS
    )
    assert asynchronous <= synchronous


def test_one_block_by_hand() -> None:
    """L = 3, two weights, two bits: the block of docs/fully-connected.md, PE 1 sends to PE 2."""
    counted = product_cycles(accelerator(3), linear(["aab"], length=3, filters=2, bits=2))
    assert counted["paper"] == Cycles(baseline=2 * 4, product=2 * 4, signature=2 * 3 + 2, stall=1)
    assert counted["fair"] == Cycles(baseline=2 * 3 + 2, product=3 + 2 + 3, signature=2 * 3 + 2, stall=1)


def test_sends_that_outlast_a_dot_product_stall_their_sender() -> None:
    """L = 1: a result every 2 cycles, but four sends each: results leave in cycles 5, 9, 13, sends in 17."""
    counted = product_cycles(accelerator(5), linear(["aaaaa"], length=1, filters=3, bits=1))
    assert counted["paper"] == Cycles(baseline=3 * 2, product=3 * 2, signature=3, stall=17 - 9)


@pytest.mark.parametrize(
    ("design", "forward", "backward"), [("synchronous", 34, 18), ("asynchronous", 33, 17)]
)
def test_two_blocks_by_hand(design: str, forward: int, backward: int) -> None:
    """The last send of block 1 runs beside the signatures of block 2 where PE 1 need not wait for it."""
    here = accelerator(3, design=design)
    for signatures in (["aabaab"], ["aab", "aab"]):  # two blocks of a scope, or two scopes
        trained = training_cycles(here, linear(signatures, length=3, filters=2, bits=2))["paper"]
        assert trained.forward.mercury == forward
        assert trained.input_gradient.mercury == trained.weight_gradient.mercury == backward
        assert trained.input_gradient.signature == 0


def test_products_wait_for_the_signature_of_the_slowest_pe() -> None:
    """PE 2 stalls until cycle 11 in block 1 and signs until 14; PE 1, done in cycle 9, waits for it.

    It then sends each result three times, in cycles 17 to 25; synchronous blocks take 14 cycles each.
    """
    work = linear(["abbbbccccd"], length=1, filters=3, bits=1)
    both = [product_cycles(accelerator(5, design=design), work)["paper"].mercury for design in DESIGNS]
    assert both == [14 + 14, 25]


def test_without_weights_only_signatures_are_computed() -> None:
    work = linear(["aab", "abb"], length=3, filters=0, bits=2)
    assert product_cycles(accelerator(2), work)["paper"] == Cycles(signature=4 * 8)
    sends = block_sends(work.hitmap.representatives, pes=2) if work.hitmap else None
    times = BlockTimes.of(accelerator(2), work.shape, 2, "paper")
    assert sends is not None
    assert times.total_by_definition(sends) == 4 * 8


def test_a_saved_hitmap_lets_pes_run_ahead_by_one_block_and_no_further() -> None:
    """L = 3, one weight (4 cycles); PEs 3 and 4 are free at once in block 1.

    They compute their inputs of block 2 meanwhile, and those of block 3 once PEs 1 and 2 are done with
    block 1: their sends end in cycle 5.
    """
    work = linear(["ababcdefghij"], length=3, filters=1, bits=0)
    both = [product_cycles(accelerator(4, design=design), work)["paper"].mercury for design in DESIGNS]
    assert both == [5 + 4 + 4, 12]
    late = linear(["aaaabc"], length=3, filters=1, bits=0)
    assert product_cycles(accelerator(2, design="asynchronous"), late)["paper"].mercury == 12


def test_mac_units_and_unpipelined_signatures() -> None:
    work = linear(["aab"], length=3, filters=2, bits=2)
    with_macs = product_cycles(accelerator(3, mac_unit=True), work)
    assert with_macs["paper"] == Cycles(baseline=2 * 3, product=2 * 3, signature=2 * 3 + 1, stall=1)
    assert with_macs["fair"] == Cycles(baseline=2 * 3 + 1, product=2 * 3 + 1, signature=2 * 3 + 1, stall=1)
    lone = product_cycles(accelerator(3, pipelined_signatures=False), work)
    assert lone["paper"].signature == lone["fair"].signature == 2 * 4


def test_a_representative_in_an_earlier_block_is_replaced_by_the_first_in_this_one() -> None:
    """Six vectors of one signature on four PEs: vector 4 is computed once more and sent to vector 5."""
    representatives = torch.zeros(1, 6, dtype=torch.int64)
    assert block_sends(representatives, pes=4).tolist() == [[3, HIT, HIT, HIT, 1, HIT]]
    assert block_sends(representatives, pes=6).tolist() == [[5, *[HIT] * 5]]


def test_the_baseline_fills_blocks_from_all_scopes_that_share_weights() -> None:
    """64 sentences of 21 words: 8 blocks of 168 together, but 64 blocks a sentence at a time."""
    eyeriss = preset("eyeriss-168")
    shape = row_vectors((64, 21, 512), 2048, "image")
    counted = product_cycles(eyeriss, Work(shape, kind="linear"))
    assert counted["paper"] == Cycles(64 * 2048 * 513, 64 * 2048 * 513)
    assert counted["fair"].baseline == 8 * 2048 * 512 + 2


def test_attention_is_a_fully_connected_layer_of_its_own_weights_for_each_head() -> None:
    """III-C4: 21 queries of length 64 take 21 + 21 dot products; heads share nothing."""
    shape = attention_vectors((2, 8, 21, 64), keys=21, value_length=64)
    counted = product_cycles(preset("eyeriss-168"), Work(shape, kind="attention"))
    assert counted["paper"].baseline == 16 * 42 * 65
    assert counted["fair"].baseline == 16 * (42 * 64 + 2)


def test_convolutions_of_one_row_stay_with_the_model_of_convolutions() -> None:
    work = linear(["aab"], length=3, filters=2, bits=2)
    assert product_cycles(accelerator(3), replace(work, kind="conv"))["paper"].stall == 0


@pytest.mark.parametrize("shape", [row_vectors((0, 5, 8), 4, "image"), row_vectors((0, 8), 4, "batch")])
def test_no_inputs_cost_nothing(shape: VectorShape) -> None:
    empty = Hitmap(
        torch.zeros(shape.scopes, shape.vectors, dtype=torch.uint8),
        torch.zeros(shape.scopes, shape.vectors, dtype=torch.int64),
    )
    assert product_cycles(preset("eyeriss-168"), Work(shape, empty, 20, "linear"))["fair"] == Cycles()


def test_results_of_two_blocks_race_for_an_output_memory_without_delay() -> None:
    """PE 3 writes its own of block 2 in the cycle that brings PE 1's of block 1: one a half."""
    layer = Layer(3, [[[1]] * 6], [[2]] * 2, hitmap(["aaabcd"]), bits=0)
    stepped = layer.step(layer.accelerator(design="asynchronous"), "paper")
    assert stepped.races > 0
    assert layer.step(layer.accelerator(), "paper").races == 0


def test_the_stepper_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="pes was 0, but must be at least 1"):
        step_fully_connected([], [], Array(0))
    with pytest.raises(ValueError, match=r"rows of \[1, 2\] elements"):
        step_fully_connected([ScopeInputs([[1]], [[1, 2]], [1], [0])], [], Array(1))
    with pytest.raises(ValueError, match="0 filters"):
        step_fully_connected([ScopeInputs([[1]], [], [1], [0])], [], Array(1))
    with pytest.raises(ValueError, match="states and representatives had 2 and 1 entries"):
        step_fully_connected([ScopeInputs([[1]], [[1]], [1, 1], [0])], [], Array(1))
