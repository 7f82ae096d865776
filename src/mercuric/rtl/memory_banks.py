"""How are words of a memory read and written by several ports? Words go round banks, a port to each."""

from amaranth import Cat, Module, Signal, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out
from amaranth.utils import exact_log2

from mercuric.rtl.decoder import decoded
from mercuric.rtl.register_file import write_layout


class MemoryBanks(Component):
    """As :class:`~mercuric.rtl.register_file.RegisterFile`, but port ``p`` serves bank ``p`` alone.

    A word's bank is its address modulo ``banks``, a power of two; the port takes the rest of an address.

    Args:
        depth: words.
        banks: of one port for reading and one for writing.
        word_bits: of a word.
    """

    def __init__(self, depth: int, banks: int, word_bits: int) -> None:
        self._depth, self._banks, self._word_bits = depth, banks, word_bits
        super().__init__(
            {
                "read": In(ArrayLayout(range(depth), banks)),
                "found": Out(ArrayLayout(signed(word_bits), banks)),
                "written": In(ArrayLayout(write_layout(depth, word_bits), banks)), "stored": Out(depth),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """A memory each."""
        m, low = Module(), exact_log2(self._banks)
        depth = -(-self._depth // self._banks)
        stored = [Signal(depth, name=f"stored_{bank}") for bank in range(self._banks)]
        for number, (address, written) in enumerate(zip(self.read, self.written, strict=True)):
            bank = Memory(shape=signed(self._word_bits), depth=depth, init=[])
            m.submodules[f"bank_{number}"] = bank
            read, write = bank.read_port(domain="comb"), bank.write_port()
            m.d.comb += [
                read.addr.eq(address >> low), self.found[number].eq(read.data),
                write.addr.eq(written.address >> low), write.data.eq(written.word),
                write.en.eq(written.valid), stored[number].eq(decoded(m, write.addr, written.valid, depth)),
            ]  # fmt: skip
        m.d.comb += self.stored.eq(Cat(bank[row] for row in range(depth) for bank in stored)[: self._depth])
        return m
