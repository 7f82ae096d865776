"""The MCACHE's circuits equal plain models of Fig. 9, of the queues and of data with valid bits."""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.similarity.hitmap import HitState

pytest.importorskip("amaranth", reason="the extra rtl is not installed")

from circuit_bench import run
from circuit_scopes import PlainMCache

from mercuric.rtl.hitmap import Hitmap
from mercuric.rtl.insertion_queue import InsertionQueue
from mercuric.rtl.mcache_results import MCacheResults
from mercuric.rtl.mcache_set import MCacheSet
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.signature_table import SignatureTable


def parameters(**sizes: int | str) -> Parameters:
    usual = {"bits": 3, "cache_sets": 2, "ways": 2, "block": 2, "pe_columns": 2}
    return Parameters(pe_rows=1, kernel_rows=1, kernel_columns=1, **{**usual, **sizes})


@given(st.integers(1, 3), st.lists(st.none() | st.integers(0, 7), max_size=30))
@settings(max_examples=15)
def test_a_set_answers_as_figure_9(ways: int, asked: list[int | None]) -> None:
    """None clears all valid bits."""
    dut, answers, expected = MCacheSet(parameters(ways=ways)), [], []

    async def bench(ctx):
        for tag in asked:
            ctx.set(dut.clear, tag is None)
            ctx.set(dut.ask, tag is not None)
            ctx.set(dut.tag, tag or 0)
            if tag is not None:
                answers.append((ctx.get(dut.state), ctx.get(dut.way)))
            await ctx.tick()

    run(dut, bench)
    plain, found, vectors = PlainMCache(1, ways), iter(answers), {}
    for vector, tag in enumerate(asked):
        if tag is None:
            plain, vectors = PlainMCache(1, ways), {}
            continue
        state, representative = plain.access(tag, vector)
        answered, way = next(found)
        assert answered == state
        if state == HitState.MAU:
            vectors[vector] = way
            expected = sorted(vectors.values())
            assert expected == list(range(len(vectors)))
        if state == HitState.HIT:
            assert way == vectors[representative]


@given(
    st.integers(1, 3),
    st.none() | st.integers(1, 3),
    st.lists(st.tuples(st.lists(st.booleans(), min_size=3, max_size=3), st.booleans()), max_size=20),
)
@settings(max_examples=25)
def test_a_queue_keeps_the_order_and_takes_what_it_has_room_for(
    places: int, ports: int | None, asked: list[tuple[list[bool], bool]]
) -> None:
    """Each cycle: who asks, and whether the head may be served."""
    dut = InsertionQueue(parameters(pe_columns=3, queue=places, queue_ports=ports), 2)
    queue: deque[tuple[int, int]] = deque()

    async def bench(ctx):
        for cycle, (ones, serve) in enumerate(asked):
            head = queue[0] if queue else None
            served = queue.popleft() if queue and serve else None
            accepted = []
            for pe_set, asks in enumerate(ones):
                ctx.set(dut.items[pe_set].pe_set, pe_set)
                ctx.set(dut.items[pe_set].signature, (cycle + pe_set) % 8)
                if asks and len(queue) < places and len(accepted) < (ports or 3):
                    queue.append((pe_set, (cycle + pe_set) % 8))
                    accepted.append(pe_set)
            ctx.set(dut.asked, sum(asks << pe_set for pe_set, asks in enumerate(ones)))
            ctx.set(dut.serve, serve)
            assert (ctx.get(dut.waiting), ctx.get(dut.served)) == (head is not None, served is not None)
            if head is not None:
                assert (ctx.get(dut.head.pe_set), ctx.get(dut.head.signature)) == head
            assert ctx.get(dut.accepted) == sum(1 << pe_set for pe_set in accepted)
            assert ctx.get(dut.emptied) == (not queue)
            await ctx.tick()

    run(dut, bench)


answers = st.dictionaries(st.integers(0, 3), st.tuples(st.integers(0, 2), st.integers(0, 7)), max_size=4)


@given(st.none() | st.integers(1, 4), st.lists(answers, max_size=10))
@settings(max_examples=25)
def test_a_hitmap_writes_as_many_rows_as_it_has_ports(
    ports: int | None, cycles: list[dict[int, tuple[int, int]]]
) -> None:
    """The cache sets' answers, each about another vector."""
    dut, held = Hitmap(parameters(block=4, cache_sets=4, hitmap_ports=ports)), {}

    async def bench(ctx):
        for cycle, given_ in enumerate(cycles):
            for cache_set in range(4):
                state, entry = given_.get(cache_set, (0, 0))
                slot = (cache_set + cycle) % 4
                row = {"valid": cache_set in given_, "slot": slot, "state": state, "entry": entry}
                ctx.set(dut.answers[cache_set], row)
            granted = sorted(given_)[: ports or 4]
            for cache_set in given_:
                assert ctx.get(dut.granted) >> cache_set & 1 == (cache_set in granted)
            held.update({(cache_set + cycle) % 4: given_[cache_set] for cache_set in granted})
            await ctx.tick()
            for slot, row in held.items():
                ctx.set(dut.slot, slot)
                assert (ctx.get(dut.state), ctx.get(dut.entry)) == row

    run(dut, bench)


@st.composite
def accesses(draw: st.DrawFn) -> tuple[Parameters, list[tuple[list[tuple[bool, int, int, int]], int]]]:
    one = parameters(versions=draw(st.integers(1, 3)), late_hits="ready")
    places = [(entry, version) for entry in range(one.entries) for version in range(one.versions)]
    cycle = st.lists(st.sampled_from(places), min_size=2, max_size=2, unique=True).flatmap(
        lambda both: st.tuples(
            *(st.tuples(st.booleans(), *map(st.just, at), st.integers(-9, 9)) for at in both)
        )
    )
    return one, draw(st.lists(st.tuples(cycle, st.integers(0, 2**one.versions - 1)), max_size=20))


@given(accesses())
@settings(max_examples=15)
def test_results_are_there_from_the_next_cycle_on(drawn) -> None:
    one, cycles = drawn
    dut, held = MCacheResults(one), {}

    async def bench(ctx):
        ctx.set(dut.enable, 1)
        ctx.set(dut.reads, 0b11)
        for written, invalid in cycles:
            for pe_set, (writes, entry, version, word) in enumerate(written):
                ctx.set(
                    dut.written[pe_set], {"valid": writes, "entry": entry, "version": version, "word": word}
                )
                for port in (dut.asked, dut.read):
                    ctx.set(port[pe_set], {"entry": entry, "version": version})
            ctx.set(dut.invalidate, invalid)
            for pe_set, (_, *at, _) in enumerate(written):
                there = tuple(at) in held
                assert ctx.get(dut.asked_valid[pe_set]) == ctx.get(dut.read_valid[pe_set]) == there
                if there:
                    assert ctx.get(dut.read_word[pe_set]) == held[tuple(at)]
            await ctx.tick()
            held.update({(entry, version): word for writes, entry, version, word in written if writes})
            for place in [place for place in held if invalid >> place[1] & 1]:
                del held[place]

    run(dut, bench)


@pytest.mark.parametrize("results", ["registers", "memory"])
@pytest.mark.parametrize("reads", [True, False])
def test_one_port_serves_the_first_that_asks(reads: bool, results: str) -> None:
    dut = MCacheResults(parameters(pe_columns=3, ports=1, results=results))

    async def bench(ctx):
        ctx.set(dut.enable, 1)
        for asks, granted in ((0b000, 0b111), (0b110, 0b011), (0b101, 0b011), (0b111, 0b001)):
            ctx.set(dut.reads, asks if reads else 0)
            for pe_set in range(3):
                written = {
                    "valid": not reads and asks >> pe_set & 1,
                    "entry": pe_set,
                    "version": 0,
                    "word": 7,
                }
                ctx.set(dut.written[pe_set], written)
            assert ctx.get(dut.granted) == granted
            await ctx.tick()
        ctx.set(dut.reads, 0b100)
        for port in (dut.asked, dut.read):
            ctx.set(port[2], {"entry": 1, "version": 0})
        assert ctx.get(dut.asked_valid) >> 2 == (not reads)  # the second set's own, in the second cycle
        assert reads or ctx.get(dut.read_word[2]) == 7

    run(dut, bench)


@given(st.data(), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=15)
def test_signatures_grow_bit_by_bit(data: st.DataObject, bits: int, sets: int, block: int) -> None:
    """Over two scopes, so that nothing of the first is left in the second."""
    dut = SignatureTable(parameters(bits=bits, cache_sets=sets, block=block))
    scopes = data.draw(
        st.lists(st.lists(st.integers(0, 2**bits - 1), min_size=block, max_size=block), max_size=2)
    )

    async def bench(ctx):
        ctx.set(dut.shift, 1)
        for signatures in scopes:
            for bit in range(bits):
                for slot, signature in enumerate(signatures):
                    ctx.set(dut.slot, slot)
                    ctx.set(dut.negative, signature >> bit & 1)
                    ctx.set(dut.last, slot == block - 1)
                    assert ctx.get(dut.complete) == (bit == bits - 1)
                    if bit == bits - 1:
                        assert (ctx.get(dut.tag), ctx.get(dut.index)) == (signature, signature % sets)
                    await ctx.tick()

    run(dut, bench)
