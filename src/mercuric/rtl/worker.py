"""What does a PE set bring with it? Its turns, its part of Signature Table and Hitmap (paper III-C1)."""

from amaranth import EnableInserter, Module
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.hitmap import Hitmap
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.pe_set import PESet
from mercuric.rtl.ports import loads, window_layout, worker_ports
from mercuric.rtl.signature_table import SignatureTable
from mercuric.rtl.turns import Turns


class Worker(Component):
    """A PE set that signs its block of input vectors, then multiplies it or reads results.

    While not ``enable`` nothing moves but the Hitmap, which the MCACHE fills. In the cycle in which a
    signature is complete, ``complete`` is set.

    Args:
        parameters: sizes and options.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = one = parameters
        super().__init__(
            {
                **worker_ports(one, 1), "weights": In(window_layout(one)), "restart": In(1), "signing": In(1),
                "issued": Out(1), "done": Out(1),
                "complete": Out(1), "tag": Out(one.bits), "index": Out(range(one.cache_sets)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """The four, and which result leaves."""
        one, m = self._parameters, Module()
        pes, turns, table, hitmap = PESet(one), Turns(one), SignatureTable(one), Hitmap(one)
        m.submodules.pe_set = pes
        m.submodules.turns = EnableInserter(self.enable)(turns)
        m.submodules.signature_table = EnableInserter(self.enable)(table)
        m.submodules.hitmap = hitmap
        overlap = one.overlapped_products
        if one.overlapped_signatures != one.overlapped_products:
            overlap = self.signing if one.overlapped_signatures else ~self.signing
        m.d.comb += [
            *loads(pes, self), pes.enable.eq(self.enable),
            pes.weights.eq(self.weights), pes.overlap.eq(overlap), pes.start.eq(turns.start),
            pes.slot.eq(turns.slot),
            turns.restart.eq(self.restart), turns.length.eq(self.length), turns.dense.eq(self.signing),
            turns.overlap.eq(overlap), turns.free.eq(pes.free), turns.multiplying.eq(pes.multiplying),
            turns.leaves.eq(pes.leaves), turns.state.eq(hitmap.state), turns.entry.eq(hitmap.entry),
            turns.valid.eq(self.asked_valid), self.issued.eq(turns.issued), self.done.eq(turns.done),
            hitmap.slot.eq(turns.slot), hitmap.answers.eq(self.answers), self.granted.eq(hitmap.granted),
            self.asked.eq(hitmap.entry),
            table.shift.eq(turns.leaving & self.signing), table.slot.eq(turns.leaving_slot),
            table.negative.eq(pes.sum[-1]), table.last.eq(turns.last),
            self.complete.eq(table.shift & table.complete), self.tag.eq(table.tag),
            self.index.eq(table.index), self.read.eq(turns.leaving_entry),
            self.leaving.eq(turns.leaving & ~self.signing), self.leaving_slot.eq(turns.leaving_slot),
            self.computed.eq(turns.computed), self.stores.eq(turns.stores),
        ]  # fmt: skip
        with m.If(turns.computed):
            m.d.comb += self.result.eq(pes.sum)
        with m.Else():
            m.d.comb += self.result.eq(self.read_word)
        return m
