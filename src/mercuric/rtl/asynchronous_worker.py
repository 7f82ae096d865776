"""What is a PE set that goes on by itself? Two input buffers, InUse and FIUse (paper III-C1, Fig. 11)."""

from amaranth import Array, Module, Mux, Signal, Value, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.hitmap import Hitmap, row_layout
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.pe_set import PESet
from mercuric.rtl.turns import Turns


class AsynchronousWorker(Component):
    """A PE set with several input buffers, each with a valid bit, and a part of the Hitmap for each.

    It begins its block with the next filter as soon as it has issued the last one, the filter is there and
    the input buffer is full. InUse says which input buffer its PEs read, FIUse which filter buffer, and so
    which version of an MCACHE entry. A buffer's vectors are multiplied with ``filters`` filters; it is empty
    when the last result has left.

    Args:
        parameters: sizes and options.
        buffers: input buffers.
    """

    def __init__(self, parameters: Parameters, buffers: int) -> None:
        one, word, version = parameters, signed(parameters.word_bits), range(parameters.versions)
        slots, entry = range(buffers * one.block), range(one.entries)
        self._parameters, self._buffers = one, buffers
        window = ArrayLayout(word, one.kernel_rows * one.kernel_columns)
        super().__init__(
            {
                "write": In(1), "write_slot": In(slots), "write_column": In(range(one.kernel_columns)),
                "write_words": In(ArrayLayout(word, one.kernel_rows)),
                "row": In(row_layout(one, buffers)), "fill": In(buffers), "full": Out(buffers),
                "reset": In(1), "length": In(range(one.block + 1)), "filters": In(16),
                "load": In(one.versions), "windows": In(ArrayLayout(window, one.versions)),
                "asked": Out(entry), "asked_version": Out(version), "asked_valid": In(1),
                "read": Out(entry), "read_version": Out(version), "read_word": In(word),
                "stores": Out(1), "leaving": Out(1), "computed": Out(1), "last": Out(1),
                "leaving_slot": Out(slots), "result": Out(word),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """PE set, turns and Hitmap; the registers that say where they are are below."""
        one, m = self._parameters, Module()
        pes, turns = PESet(one, self._buffers), Turns(one, self._buffers)
        hitmap = Hitmap(one, self._buffers, writers=1)
        m.submodules.pe_set, m.submodules.turns, m.submodules.hitmap = pes, turns, hitmap
        in_use, fi_use = Signal(range(self._buffers)), Signal(range(one.versions))
        self._begin(m, turns, in_use, fi_use)
        self._empty(m, turns)
        m.d.comb += [
            pes.write.eq(self.write), pes.write_slot.eq(self.write_slot),
            pes.write_column.eq(self.write_column), pes.write_words.eq(self.write_words),
            pes.weights.eq(Array(self.windows[version] for version in range(one.versions))[fi_use]),
            pes.overlap.eq(one.overlapped_products), pes.start.eq(turns.start), pes.slot.eq(turns.slot),
            turns.length.eq(self.length), turns.overlap.eq(one.overlapped_products),
            turns.free.eq(pes.free), turns.multiplying.eq(pes.multiplying), turns.leaves.eq(pes.leaves),
            turns.state.eq(hitmap.state), turns.entry.eq(hitmap.entry), turns.valid.eq(self.asked_valid),
            turns.buffer.eq(in_use), turns.version.eq(fi_use),
            hitmap.slot.eq(turns.slot), hitmap.answers[0].eq(self.row),
            self.asked.eq(hitmap.entry), self.asked_version.eq(fi_use),
            self.read.eq(turns.leaving_entry), self.read_version.eq(turns.leaving_version),
            self.stores.eq(turns.stores), self.leaving.eq(turns.leaving), self.computed.eq(turns.computed),
            self.last.eq(turns.last), self.leaving_slot.eq(turns.leaving_slot),
            self.result.eq(Mux(turns.computed, pes.sum, self.read_word)),
        ]  # fmt: skip
        return m

    def _begin(self, m: Module, turns: Turns, in_use: Signal, fi_use: Signal) -> None:
        """What comes next, and whether it can begin: filters that are there and were not begun wait."""
        one = self._parameters
        next_buffer, next_version, filter_ = Signal.like(in_use), Signal.like(fi_use), Signal(16)
        waiting, there = Signal(one.versions), Signal(one.versions)
        unread, reads = Signal(self._buffers), Signal(self._buffers)  # full, and not begun
        m.d.comb += [
            there.eq(waiting | self.load),
            turns.restart.eq(
                turns.issued
                & (self.length != 0)
                & there.bit_select(next_version, 1)
                & ((filter_ != 0) | unread.bit_select(next_buffer, 1))
            ),
            reads.eq((turns.restart & (filter_ == 0)) << next_buffer),
        ]
        m.d.sync += [
            waiting.eq(there & ~(turns.restart << next_version)),
            unread.eq((unread & ~reads) | self.fill),
        ]
        with m.If(turns.restart):
            m.d.sync += [
                fi_use.eq(next_version),
                next_version.eq(_after(next_version, one.versions)),
                in_use.eq(next_buffer),
                filter_.eq(filter_ + 1),
            ]
            with m.If(filter_ == self.filters - 1):
                m.d.sync += [filter_.eq(0), next_buffer.eq(_after(next_buffer, self._buffers))]
        with m.If(self.reset):
            m.d.sync += [each.eq(0) for each in (next_buffer, next_version, filter_, waiting)]

    def _empty(self, m: Module, turns: Turns) -> None:
        """A buffer is empty when its vectors' last results have left."""
        buffer, filter_, emptied = Signal(range(self._buffers)), Signal(16), Signal(self._buffers)
        with m.If(turns.leaving & turns.last):
            m.d.sync += filter_.eq(filter_ + 1)
            with m.If(filter_ == self.filters - 1):
                m.d.comb += emptied.eq(1 << buffer)
                m.d.sync += [filter_.eq(0), buffer.eq(_after(buffer, self._buffers))]
        with m.If(self.reset):
            m.d.sync += [buffer.eq(0), filter_.eq(0)]
        m.d.sync += self.full.eq((self.full & ~emptied) | self.fill)


def _after(place: Signal, places: int) -> Value:
    """The next of ``places`` in turn."""
    return Mux(place == places - 1, 0, place + 1)
