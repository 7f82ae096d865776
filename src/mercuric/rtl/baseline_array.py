"""What is the same array without any of MERCURY? The baseline of Tables II to IV."""

from functools import reduce
from operator import and_

from amaranth import EnableInserter, Module, Mux, Signal, signed
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.filter_buffer import FilterBuffer
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.pe_set import PESet
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
        one, word = parameters, signed(parameters.word_bits)
        self._parameters = one
        self.result_layout = StructLayout({"valid": 1, "slot": range(one.block), "word": word})
        super().__init__(
            {
                "write": In(1), "write_set": In(range(one.sets)), "write_slot": In(range(one.block)),
                "write_column": In(range(one.kernel_columns)),
                "write_words": In(ArrayLayout(word, one.kernel_rows)),
                "lengths": In(ArrayLayout(range(one.block + 1), one.sets)),
                "start": In(1), "filters": In(16), "filter_valid": In(1),
                "filter": In(ArrayLayout(word, one.kernel_rows * one.kernel_columns)),
                "filter_take": Out(1), "busy": Out(1),
                "results": Out(ArrayLayout(self.result_layout, one.sets)),
                "product_cycles": Out(COUNTER_BITS),
            }
        )  # fmt: skip

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
            pes.enable.eq(enable),
            pes.write.eq(self.write & (self.write_set == number)), pes.write_slot.eq(self.write_slot),
            pes.write_column.eq(self.write_column), pes.write_words.eq(self.write_words),
            pes.weights.eq(filters.windows[0]), pes.overlap.eq(one.overlapped_products),
            pes.start.eq(turns.start), pes.slot.eq(turns.slot),
            turns.restart.eq(self.filter_take), turns.length.eq(self.lengths[number]), turns.dense.eq(1),
            turns.overlap.eq(one.overlapped_products), turns.free.eq(pes.free),
            turns.multiplying.eq(pes.multiplying), turns.leaves.eq(pes.leaves),
            out.valid.eq(turns.leaving & enable), out.slot.eq(turns.leaving_slot), out.word.eq(pes.sum),
        ]  # fmt: skip
        return turns
