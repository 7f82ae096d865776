"""Which signatures do a PE set's vectors have? The Signature Table (paper III-B3), filled bit by bit."""

from amaranth import Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.parameters import Parameters


class SignatureTable(Component):
    """A shift register for each vector of a PE set: a random filter gives all vectors one bit more.

    ``negative`` is the sign of the dot product that leaves for the vector ``slot``; ``last`` says that the
    random filter's other vectors are through. While the last random filter's bits come, ``complete`` is set,
    ``tag`` is the vector's whole signature and ``index`` its set of the MCACHE. The first filter's bit is the
    lowest. One that waits for its cache set is read again: ``kept_tag`` and ``kept_index`` are of the vector
    ``kept``.

    Args:
        parameters: sizes and options.
        buffers: blocks of vectors.
        keeps: whether signatures are read again.
    """

    def __init__(self, parameters: Parameters, buffers: int = 1, keeps: bool = False) -> None:
        one = parameters
        self._parameters, self._rows, self._keeps = one, buffers * one.block, keeps
        super().__init__(
            {
                "shift": In(1), "slot": In(range(self._rows)), "negative": In(1), "last": In(1),
                "complete": Out(1), "tag": Out(one.bits), "index": Out(range(one.cache_sets)),
                "kept": In(range(self._rows)), "kept_tag": Out(one.bits),
                "kept_index": Out(range(one.cache_sets)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """Rows that are shifted by one, and how many bits there are."""
        one, m = self._parameters, Module()
        bit = Signal(range(one.bits))
        m.submodules.rows = rows = Memory(shape=one.bits, depth=self._rows, init=[])
        read, write = rows.read_port(domain="comb"), rows.write_port()
        m.d.comb += [
            self.complete.eq(bit == one.bits - 1),
            read.addr.eq(self.slot),
            self.tag.eq((read.data >> 1) | (self.negative << (one.bits - 1))),
            write.addr.eq(self.slot),
            write.data.eq(self.tag),
            write.en.eq(self.shift),
        ]
        self._read_again(m, rows, self.kept_tag)
        with m.If(self.shift & self.last):
            m.d.sync += bit.eq(Mux(self.complete, 0, bit + 1))
        if one.cache_sets & (one.cache_sets - 1):
            self._remainders(m, bit)
        else:
            low = one.cache_sets - 1
            m.d.comb += [self.index.eq(self.tag & low), self.kept_index.eq(self.kept_tag & low)]
        return m

    def _read_again(self, m: Module, rows: Memory, word: Signal) -> None:
        if self._keeps:
            read = rows.read_port(domain="comb")
            m.d.comb += [read.addr.eq(self.kept), word.eq(read.data)]

    def _remainders(self, m: Module, bit: Signal) -> None:
        """Signature mod sets, where that isn't its low bits: a new bit adds its power of two's remainder."""
        one = self._parameters
        powers, power = [pow(2, each, one.cache_sets) for each in range(one.bits)], Signal.like(self.index)
        with m.Switch(bit):
            for each, remainder in enumerate(powers):
                with m.Case(each):
                    m.d.comb += power.eq(remainder)
        m.submodules.remainders = rows = Memory(shape=self.index.shape(), depth=self._rows, init=[])
        read, write = rows.read_port(domain="comb"), rows.write_port()
        self._read_again(m, rows, self.kept_index)
        total = Signal(range(2 * one.cache_sets))
        m.d.comb += [
            read.addr.eq(self.slot),
            total.eq(Mux(bit == 0, 0, read.data) + Mux(self.negative, power, 0)),
            self.index.eq(Mux(total >= one.cache_sets, total - one.cache_sets, total)),
            write.addr.eq(self.slot),
            write.data.eq(self.index),
            write.en.eq(self.shift),
        ]
