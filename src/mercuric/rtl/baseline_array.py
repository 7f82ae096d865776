"""What is the same array without any of MERCURY? The baseline of Tables II to IV."""

from functools import reduce
from operator import and_

from amaranth import EnableInserter, Module, Mux, Signal
from amaranth.lib.wiring import Component, Out

from mercuric.rtl.filter_buffer import FilterBuffer
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.pe_set import PESet
from mercuric.rtl.ports import array_ports, loads, result_layout
from mercuric.rtl.synchronous_controller import COUNTER_BITS
from mercuric.rtl.turns import Turns


class BaselineArray(Component):
    """PE sets that multiply every vector of their blocks with every filter.

    Its ports are those of :class:`~mercuric.rtl.synchronous_array.SynchronousArray`, as far as it has what
    they are for. All PE sets go on to the next filter together, when the last of them has issued its block:
    where dot products overlap, nothing drains in between.

    Args:
        parameters: sizes and options; those of signatures and MCACHE mean nothing.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._parameters, slots = parameters, range(parameters.block)
        self.result_layout = result_layout(parameters, slots)
        ports = array_ports(parameters, slots, self.result_layout)
        super().__init__({**ports, "product_cycles": Out(COUNTER_BITS)})

    def elaborate(self, _platform: object) -> Module:
        """PE sets, a filter buffer, and a counter of filters for a controller."""
        one, m = self._parameters, Module()
        left, wants, enable = Signal(16), Signal(), Signal()
        m.submodules.filter_buffer = filters = FilterBuffer(one)
        turns = [self._pe_set(m, number, enable, filters) for number in range(one.sets)]
        issued, done = (reduce(and_, (getattr(each, port) for each in turns)) for port in ("issued", "done"))
        m.d.comb += [
            wants.eq(Mux(self.busy, issued & (left != 0), self.start)),
            enable.eq(~wants | self.filter_valid),
            self.filter_take.eq(wants & self.filter_valid),
            filters.load.eq(self.filter_take),
            filters.loaded.eq(self.filter),
        ]
        with m.If(self.filter_take):
            m.d.sync += [left.eq(left - 1), self.busy.eq(1)]
            with m.If(~self.busy):
                m.d.sync += left.eq(self.filters - 1)
        with m.Elif(done & (left == 0)):
            m.d.sync += self.busy.eq(0)
        with m.If(self.busy & enable):
            m.d.sync += self.product_cycles.eq(self.product_cycles + 1)
        return m

    def _pe_set(self, m: Module, number: int, enable: Signal, filters: FilterBuffer) -> Turns:
        one, out = self._parameters, self.results[number]
        pes, turns = PESet(one), Turns(one)
        m.submodules[f"pe_set_{number}"] = pes
        m.submodules[f"turns_{number}"] = EnableInserter(enable)(turns)
        m.d.comb += [
            *loads(pes, self, self.write_set == number), pes.enable.eq(enable),
            pes.weights.eq(filters.windows[0]), pes.overlap.eq(one.overlapped_products),
            pes.start.eq(turns.start), pes.slot.eq(turns.slot),
            turns.restart.eq(self.filter_take), turns.length.eq(self.lengths[number]), turns.dense.eq(1),
            turns.overlap.eq(one.overlapped_products), turns.free.eq(pes.free),
            turns.multiplying.eq(pes.multiplying), turns.leaves.eq(pes.leaves),
            out.valid.eq(turns.leaving & enable), out.slot.eq(turns.leaving_slot), out.word.eq(pes.sum),
        ]  # fmt: skip
        return turns
