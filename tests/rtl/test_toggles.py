"""Flips and operations of circuits that one counts by hand, and of layers whose numbers are known."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("amaranth")

from amaranth import EnableInserter, Module, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.activity import Activity, activity
from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.nets import Net, component, elaborate
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.stimulus import Stimulus
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.rtl.toggles import Section, Toggles
from mercuric.similarity.hitmap import HitState


class Counter(Component):
    """Four bits that count, one of them once more, and whether all are set."""

    def __init__(self) -> None:
        super().__init__({"count": Out(4), "odd": Out(1), "all": Out(1)})

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        m.d.sync += self.count.eq(self.count + 1)
        m.d.comb += [self.odd.eq(self.count[0]), self.all.eq(self.count.all())]
        return m


class Store(Component):
    """Two words, of which one a cycle is written."""

    def __init__(self, attrs: dict[str, str]) -> None:
        super().__init__({"place": In(1), "word": In(8), "read": Out(8)})
        self._attrs = attrs

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        m.submodules.words = words = Memory(shape=8, depth=2, init=[], attrs=self._attrs)
        write, read = words.write_port(), words.read_port(domain="comb")
        m.d.comb += [
            write.addr.eq(self.place), write.data.eq(self.word), write.en.eq(1),
            read.addr.eq(0), self.read.eq(read.data),
        ]  # fmt: skip
        return m


class Turns(Component):
    """Starts in every cycle in which it is let."""

    def __init__(self) -> None:
        super().__init__({"start": Out(1)})

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        beat = Signal()
        m.d.sync += beat.eq(~beat)
        m.d.comb += self.start.eq(1)
        return m


class Held(Component):
    """Two whose enable is set in every second cycle."""

    def __init__(self) -> None:
        super().__init__({"enable": In(1)})

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        for number in range(2):
            m.submodules[f"turns_{number}"] = EnableInserter(self.enable)(Turns())
        return m


def run(dut: Component, cycles: int, drive=None) -> Section:
    """Counted from the first clock edge on, for so many cycles."""
    circuit = elaborate(dut)
    toggles = Toggles(circuit)

    async def bench(ctx) -> None:
        await ctx.tick()
        toggles.begin("all")
        for cycle in range(cycles):
            if drive:
                drive(ctx, cycle)
            await ctx.tick()
        toggles.begin(None)
        await ctx.tick().repeat(3)

    circuit.simulator.add_clock(1e-6)
    circuit.simulator.add_testbench(bench)
    with circuit.simulator.write_vcd(toggles):
        circuit.simulator.run()
    return toggles.sections["all"]


def flips(section: Section) -> dict[str, int]:
    return {net.name: count for net, count in section.flips.items() if count}


def test_a_counter_flips_as_one_counts_by_hand() -> None:
    section = run(Counter(), 16)
    assert section.cycles == 16
    assert flips(section) == {"count": 16 + 8 + 4 + 2, "odd": 16, "all": 2}
    kinds = {net.name: (net.kind, net.width) for net in section.flips}
    assert kinds == {"count": ("register", 4), "odd": ("wire", 1), "all": ("logic", 1)}


@pytest.mark.parametrize(("attrs", "kind"), [({}, "memory"), ({"ram_style": "registers"}, "file")])
def test_words_of_a_memory_flip_when_they_are_written(attrs: dict[str, str], kind: str) -> None:
    def drive(ctx, cycle: int) -> None:
        ctx.set(dut.place, cycle % 2)
        ctx.set(dut.word, 0b1011 if cycle == 0 else 0b11 if cycle == 1 else 0)

    dut = Store(attrs)
    section = run(dut, 4, drive)
    words = {net: count for net, count in section.flips.items() if net.kind == kind}
    # Both words are written, then cleared: the last edge belongs to the cycle that begins with it.
    assert {net.name: count for net, count in words.items()} == {"\\words[0]": 6, "\\words[1]": 2}
    assert {net.component for net in words} == {"top"}


def test_an_operation_of_what_is_held_is_none() -> None:
    dut = Held()
    section = run(dut, 10, lambda ctx, cycle: ctx.set(dut.enable, cycle % 2))
    assert section.operations["dot products"] == 2 * 5


def test_a_component_has_no_number() -> None:
    assert component(("top", "worker_3", "pe_set")) == "pe_set"
    assert Net(("top", "worker_12"), "enable", 1, "wire").component == "worker"


def test_every_net_is_in_the_waveforms() -> None:
    circuit = elaborate(SynchronousArray(circuit_of(sets=2, ports=1)))
    toggles = Toggles(circuit)
    with circuit.simulator.write_vcd(toggles):
        circuit.simulator.add_clock(1e-6)
        circuit.simulator.run_until(2e-6)
    assert len(toggles.found) == len(circuit.nets)


def circuit_of(sets: int, ports: int | None = None, **more) -> Parameters:
    return Parameters(
        pe_rows=2 * sets, pe_columns=1, kernel_rows=2, kernel_columns=2, block=3, bits=4, cache_sets=2,
        ways=1, queue=2, ports=ports, **more,
    )  # fmt: skip


@given(
    st.integers(1, 3), st.sampled_from([None, 1]), st.booleans(), st.sampled_from(["registers", "memory"]),
    st.integers(1, 2), st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=8, deadline=None)
def test_operations_are_the_layers(
    sets: int, ports: int | None, overlapped: bool, results: str, scopes: int, seed: int
) -> None:
    ports = 1 if results == "memory" else ports
    one = circuit_of(sets, ports, results=results, overlapped_products=overlapped, queue_ports=ports)
    stimulus = Stimulus.drawn(one, scopes, 2, seed)
    states = stimulus.hitmap(one)[0].states
    hits, stored = (int((states == state.value).sum()) for state in (HitState.HIT, HitState.MAU))
    vectors = states.numel()
    done = activity(one, stimulus, SynchronousArray)
    signing, product = done.phases["signatures"].operations, done.phases["products"].operations
    assert signing["multiplications"] == vectors * 4 * 4  # bits x elements of a window
    assert signing["signature bits"] == signing["dot products"] == vectors * 4
    assert signing["lookups"] == vectors and product["lookups"] == 0
    assert product["dot products"] == (vectors - hits) * 2
    assert product["multiplications"] == (vectors - hits) * 2 * 4
    assert product["results"] == vectors * 2  # each filter gives one, read or computed
    assert product["results written"] == stored * 2
    dense = activity(one, stimulus, BaselineArray)
    assert dense.phases["products"].operations["multiplications"] == vectors * 2 * 4
    if ports is None:
        assert cycles(done) == sum(stimulus.cycles(one, reuse=True))
        assert cycles(dense) == sum(stimulus.cycles(one, reuse=False))


def cycles(done: Activity) -> int:
    return sum(phase.cycles for phase in done.phases.values())


def test_bits_are_those_of_the_circuit() -> None:
    one = circuit_of(sets=2)
    done = activity(one, Stimulus.drawn(one, 1, 1, 0), SynchronousArray)
    assert done.bits["words"]["file"] == 2 * 16  # entries x word
    assert done.bits["signature_table"]["memory"] == 2 * 3 * 4  # PE sets x block x bits
    assert done.bits["set"]["register"] == 2 * (4 + 1)  # a tag and its valid bit an entry
    assert done.bits["filter_buffer"]["register"] == 4 * 16
    assert done.pe_sets == 2
