"""Fully connected layers and attention (paper III-C3, III-C4): by hand, and against the stepper."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracle.dot_product_stepper import DotProducts
from oracle.fully_connected_stepper import (
    Array,
    ScopeInputs,
    SteppedLayer,
    step_fully_connected,
)

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.count.layer_cycles import product_cycles, training_cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.dataflows.row_stationary.fully_connected import Schedule, block_sources, cycles
from mercuric.accelerator.hardware import Accelerator, preset
from mercuric.reuse.vectors import VectorShape, attention_vectors, row_vectors
from mercuric.similarity.hitmap import Hitmap, HitState
from mercuric.trace.work import Work

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
            ScopeInputs(vectors, states, representatives)
            for vectors, (states, representatives) in zip(self.scopes, hitmap, strict=True)
        ]
        random_filters = [[3 * bit + 1] * len(self.filters[0]) for bit in range(self.bits)]
        return step_fully_connected(inputs, self.filters, random_filters, replace(array, **changes))


def rows(length: int, least: int, most: int) -> st.SearchStrategy[list[list[int]]]:
    row = st.lists(st.integers(-9, 9), min_size=length, max_size=length)
    return st.lists(row, min_size=least, max_size=most)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    length, scopes, vectors = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(0, 16))
    signature = st.lists(st.integers(0, draw(st.integers(0, 5))), min_size=vectors, max_size=vectors)
    signatures = draw(st.lists(signature, min_size=scopes, max_size=scopes))
    return Layer(
        draw(st.integers(1, 7)),
        [draw(rows(length, vectors, vectors)) for _ in range(scopes)],
        draw(rows(length, 1, 6)),
        hitmap(signatures, draw(st.integers(0, 4))),
        draw(st.integers(0, 3)),
    )


ACCELERATORS = st.fixed_dictionaries(
    {"design": st.sampled_from(DESIGNS), "pipelined_signatures": st.booleans(), "mac_unit": st.booleans()}
)
ALL_ALIKE = Layer(7, [[[1]] * 25] * 2, [[2]] * 4, hitmap([[0] * 25] * 2), 1)
MANY_LATE_MATCHES = Layer(4, [[[1]] * 16], [[2]] * 6, hitmap(["aabcbbbbddddeeee"]), 0)
MATCHES_AS_RESULTS_LEAVE = Layer(4, [[[1]] * 16], [[2]] * 7, hitmap(["bbcbbbbaaacbcabb"]), 1)


@given(layers(), ACCELERATORS, st.sampled_from(TIMINGS))
@example(ALL_ALIKE, {"design": "asynchronous"}, "fair")
@example(MANY_LATE_MATCHES, {"design": "asynchronous"}, "paper")
@example(MATCHES_AS_RESULTS_LEAVE, {"design": "asynchronous"}, "fair")
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
def test_the_stepper_gives_each_vector_the_first_alike_one_of_its_block_and_scope(
    layer: Layer, fields: dict[str, object], timing: Timing
) -> None:
    computed: dict[tuple[int, int, int], list[int]] = {}
    expected: list[list[list[int]]] = []
    number = 0
    for scope, groups in enumerate(layer.hitmap.representatives.tolist()):
        expected.append([])
        for row, group in zip(layer.scopes[scope], groups, strict=True):
            row = computed.setdefault((number // layer.pes, scope, group), row)
            expected[-1].append(
                [sum(a * b for a, b in zip(row, weights, strict=True)) for weights in layer.filters]
            )
            number += 1
    assert layer.step(layer.accelerator(**fields), timing).outputs == expected


@given(layers(), ACCELERATORS, st.sampled_from(TIMINGS), st.integers(0, 1))
@example(ALL_ALIKE, {"design": "asynchronous"}, "fair", 1)
@example(MANY_LATE_MATCHES, {"design": "asynchronous"}, "paper", 1)
@example(MATCHES_AS_RESULTS_LEAVE, {"design": "asynchronous"}, "fair", 1)
@settings(max_examples=60, deadline=None)
def test_the_compiled_schedule_equals_its_definition(
    layer: Layer, fields: dict[str, object], timing: Timing, send: int
) -> None:
    sources = block_sources(layer.hitmap.representatives, layer.shape.images, layer.pes)
    schedule = Schedule.of(layer.accelerator(**fields), layer.shape, layer.bits, timing)
    schedule = replace(schedule, send=send)
    assert schedule.total(sources) == schedule.total_by_definition(sources)


@given(layers(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_baseline_equals_the_dot_products_of_the_first_pe(layer: Layer, mac_unit: bool) -> None:
    """The first PE has an input of every block."""
    here = layer.accelerator(mac_unit=mac_unit)
    counted = product_cycles(here, Work(layer.shape, kind="linear"))
    inputs = [row for scope in layer.scopes for row in scope][:: layer.pes]
    assert counted["paper"].baseline == busy(inputs, layer.filters, pipelined=False, mac_unit=mac_unit)
    assert counted["fair"].baseline == busy(inputs, layer.filters, pipelined=True, mac_unit=mac_unit)


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
def test_reuse_is_at_most_twice_as_fast_as_the_baseline(layer: Layer, fields: dict[str, object]) -> None:
    """The first input of a block is computed, and waits for the block before the last."""
    here = layer.accelerator(**fields)
    counted = product_cycles(here, Work(layer.shape, layer.hitmap, layer.bits, "linear"))
    for timing in TIMINGS:
        assert 2 * counted[timing].product >= counted[timing].baseline
        assert min(counted[timing].signature, counted[timing].stall) >= 0


@given(layers(), ACCELERATORS)
@settings(max_examples=60, deadline=None)
def test_the_synchronous_design_and_a_single_block_never_gain(
    layer: Layer, fields: dict[str, object]
) -> None:
    work = Work(layer.shape, layer.hitmap, layer.bits, "linear")
    one_block = replace(layer, pes=max(1, layer.shape.images * layer.shape.vectors))
    for here in (layer.accelerator(design="synchronous"), one_block.accelerator(**fields)):
        for counted in product_cycles(here, work).values():
            assert counted.product >= counted.baseline


@given(layers(), ACCELERATORS)
@settings(max_examples=60, deadline=None)
def test_without_hits_each_block_takes_the_baseline_its_signatures_and_a_drain(
    layer: Layer, fields: dict[str, object]
) -> None:
    here, shape, bits = layer.accelerator(**fields), layer.shape, layer.bits
    none = hitmap([range(shape.vectors)] * shape.scopes)
    counted = product_cycles(here, Work(shape, none, bits, "linear"))
    blocks = -(-shape.images * shape.vectors // layer.pes)
    drain = 1 if here.mac_unit else 2
    lone = bits * (shape.length + drain - 1)
    signature = bits and bits * shape.length + drain if here.pipelined_signatures else lone
    drains = max(0, blocks - 1) * drain
    for timing, more in zip(TIMINGS, (0, drains), strict=True):
        baseline = counted[timing].baseline
        assert counted[timing] == Cycles(baseline, baseline + more, blocks * signature, 0)


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
    for design in DESIGNS:
        counted = product_cycles(accelerator(3, design=design), linear(["aab"], length=3, filters=2, bits=2))
        assert counted["paper"] == Cycles(baseline=2 * 4, product=2 * 4, signature=2 * 3 + 2, stall=1)
        assert counted["fair"] == Cycles(baseline=2 * 3 + 2, product=3 + 2 + 3, signature=2 * 3 + 2, stall=1)


def test_sends_that_outlast_a_dot_product_stall_their_sender() -> None:
    """L = 1: a result every 2 cycles, but four sends each: results leave in cycles 5, 9, 13, sends in 17."""
    counted = product_cycles(accelerator(5), linear(["aaaaa"], length=1, filters=3, bits=1))
    assert counted["paper"] == Cycles(baseline=3 * 2, product=3 * 2, signature=3, stall=17 - 9)


@pytest.mark.parametrize(
    ("design", "expected"),
    [("synchronous", Cycles(32, 32, 2 * 5, 2 * 1)), ("asynchronous", Cycles(32, 16, 10, 4))],
)
def test_two_blocks_by_hand(design: str, expected: Cycles) -> None:
    """L = 3, four weights, one bit, two PEs: results of a miss leave 9, 13, 17 and 21 cycles on.

    Asynchronous: PE 2 signs b in cycles 6 to 10 and has its results in 14, 18, 22 and 26. PE 1 is free in
    21 and finds in 26 that its b matches: b's four results are sent in cycles 27 to 30.
    """
    work = linear(["aabb"], length=3, filters=4, bits=1)
    assert product_cycles(accelerator(2, design=design), work)["paper"] == expected


def test_a_speedup_by_hand() -> None:
    """Four blocks of docs/fully-connected.md: d's second input matches one result before the last."""
    work = linear(["aabbccdd"], length=3, filters=8, bits=1)
    synchronous = product_cycles(accelerator(2), work)["paper"]
    asynchronous = product_cycles(accelerator(2, design="asynchronous"), work)["paper"]
    assert (synchronous.baseline, synchronous.mercury) == (4 * 8 * 4, 4 * (5 + 8 * 4 + 1))
    assert asynchronous.mercury == 92
    assert asynchronous.speedup > 1.39


def test_a_saved_hitmap_lets_pes_run_ahead_by_one_block_and_no_further() -> None:
    """L = 3, one weight (4 cycles), and HITs take no time.

    Four PEs: PEs 3 and 4 compute e and f in cycles 1 to 4, PEs 1 and 2 g and h after that; i and j wait
    until block 1 is sent, in cycle 5. Two PEs: both a's of block 2 are there in cycle 5, but so is the
    last send of block 1, and b and c follow.
    """
    work = linear(["ababefghijkl"], length=3, filters=1, bits=0)
    both = [product_cycles(accelerator(4, design=design), work)["paper"].mercury for design in DESIGNS]
    assert both == [5 + 4 + 4, 4 + 4 + 4]
    ahead = linear(["aaaabc"], length=3, filters=1, bits=0)
    both = [product_cycles(accelerator(2, design=design), ahead)["paper"].mercury for design in DESIGNS]
    assert both == [5 + 5 + 4, 5 + 4]


def test_backward_products_go_by_the_saved_hitmap() -> None:
    here = accelerator(2, design="asynchronous")
    trained = training_cycles(here, linear(["aabb"], length=3, filters=4, bits=1))["paper"]
    assert trained.forward.mercury == 30
    assert trained.input_gradient == trained.weight_gradient == Cycles(32, 16, 0, 4)


def test_without_weights_only_signatures_are_computed() -> None:
    work = linear(["aab", "abb"], length=3, filters=0, bits=2)
    for design in DESIGNS:
        here = accelerator(2, design=design)
        assert product_cycles(here, work)["paper"] == Cycles(signature=3 * 8)
        sources = block_sources(torch.tensor([[0, 0, 2], [0, 1, 1]]), images=2, pes=2)
        assert Schedule.of(here, work.shape, 2, "paper").total_by_definition(sources) == 3 * 8


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
    assert block_sources(representatives, images=1, pes=4).tolist() == [[0, 0, 0, 0, 4, 4]]
    assert block_sources(representatives, images=1, pes=6).tolist() == [[0, 0, 0, 0, 0, 0]]


def test_scopes_that_share_weights_share_blocks_but_no_results() -> None:
    representatives = torch.tensor([[0, 0, 0], [0, 0, 2]])
    assert block_sources(representatives, images=2, pes=4).tolist() == [[0, 0, 0, 3, 4, 5]]
    assert block_sources(representatives, images=2, pes=5).tolist() == [[0, 0, 0, 3, 3, 5]]
    assert block_sources(representatives, images=1, pes=5).tolist() == [[0, 0, 0], [0, 0, 2]]


def test_blocks_are_filled_from_all_scopes_that_share_weights() -> None:
    """64 sentences of 21 words are 8 blocks of 168."""
    eyeriss = preset("eyeriss-168")
    shape = row_vectors((64, 21, 512), 2048, "image")
    counted = product_cycles(eyeriss, Work(shape, kind="linear"))
    assert counted["paper"] == Cycles(8 * 2048 * 513, 8 * 2048 * 513)
    assert counted["fair"].baseline == 8 * 2048 * 512 + 2


@given(layers(), ACCELERATORS, st.sampled_from(TIMINGS))
@settings(max_examples=30, deadline=None)
def test_scopes_of_their_own_weights_follow_each_other(
    layer: Layer, fields: dict[str, object], timing: Timing
) -> None:
    here = layer.accelerator(**fields)
    work = Work(replace(layer.shape, images=1), layer.hitmap, layer.bits, "attention")
    states, representatives = layer.hitmap.states, layer.hitmap.representatives
    alone = [
        replace(layer, scopes=[scope], hitmap=Hitmap(states[[index]], representatives[[index]]))
        for index, scope in enumerate(layer.scopes)
    ]
    counted = product_cycles(here, work)[timing]
    assert counted.mercury == sum(scope.step(here, timing).cycles for scope in alone)


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


def test_the_stepper_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="pes was 0, but must be at least 1"):
        step_fully_connected([], [[1]], [], Array(0))
    with pytest.raises(ValueError, match=r"rows of \[1, 2\] elements"):
        step_fully_connected([ScopeInputs([[1]], [1], [0])], [[1, 2]], [], Array(1))
    with pytest.raises(ValueError, match="0 filters"):
        step_fully_connected([ScopeInputs([[1]], [1], [0])], [], [], Array(1))
    with pytest.raises(ValueError, match="states and representatives had 2 and 1 entries"):
        step_fully_connected([ScopeInputs([[1]], [1, 1], [0])], [[1]], [], Array(1))
