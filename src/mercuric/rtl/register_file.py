"""How are many words read and written in a cycle? In registers, sixteen to a group."""

from functools import reduce
from operator import or_

from amaranth import Array, Cat, Const, Module, Signal, Value, signed
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out
from amaranth.utils import exact_log2

from mercuric.rtl.decoder import decoded, encoded

GROUP = 16
"""Words of a group, a power of two."""


def write_layout(depth: int, word_bits: int) -> StructLayout:
    """What a port writes, and where."""
    return StructLayout({"valid": 1, "address": range(depth), "word": signed(word_bits)})


class RegisterFile(Component):
    """Words that every port may read, and every port write, in each cycle.

    What is written can be read in the next cycle, and ``stored`` says which words that are. No two ports
    write the same word in a cycle.

    Args:
        depth: words.
        ports: for reading, and as many for writing.
        word_bits: of a word.
    """

    def __init__(self, depth: int, ports: int, word_bits: int) -> None:
        self._depth, self._ports, self._word_bits = depth, ports, word_bits
        super().__init__(
            {
                "read": In(ArrayLayout(range(depth), ports)),
                "found": Out(ArrayLayout(signed(word_bits), ports)),
                "written": In(ArrayLayout(write_layout(depth, word_bits), ports)), "stored": Out(depth),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """Each group gets the low bits of every address, and whether it is meant."""
        m, low, groups = Module(), exact_log2(GROUP), -(-self._depth // GROUP)
        reading = [decoded(m, address >> low, Const(1), groups) for address in self.read]
        writing = [decoded(m, port.address >> low, port.valid, groups) for port in self.written]
        found: list[list[Value]] = [[] for _ in range(self._ports)]
        stored = []
        for number in range(groups):
            group = _Words(min(GROUP, self._depth - number * GROUP), self._ports, self._word_bits)
            m.submodules[f"words_{number}"] = group
            for port, (address, written) in enumerate(zip(self.read, self.written, strict=True)):
                m.d.comb += [
                    group.meant[port].eq(reading[port][number]), group.read[port].eq(address[:low]),
                    group.written[port].valid.eq(writing[port][number]),
                    group.written[port].address.eq(written.address[:low]),
                    group.written[port].word.eq(written.word),
                ]  # fmt: skip
                found[port].append(group.found[port].as_unsigned())
            stored.append(group.stored)
        m.d.comb += self.stored.eq(Cat(*stored))
        for word, parts in zip(self.found, found, strict=True):
            m.d.comb += word.eq(reduce(or_, parts))
        return m


class _Words(Component):
    """A group: a port whose address isn't ``meant`` for it finds 0."""

    def __init__(self, depth: int, ports: int, word_bits: int) -> None:
        self._depth, self._word_bits = depth, word_bits
        super().__init__(
            {
                "meant": In(ports), "read": In(ArrayLayout(range(depth), ports)),
                "found": Out(ArrayLayout(signed(word_bits), ports)),
                "written": In(ArrayLayout(write_layout(depth, word_bits), ports)), "stored": Out(depth),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        m = Module()
        m.submodules.words = words = Memory(
            shape=signed(self._word_bits), depth=self._depth, init=[], attrs={"ram_style": "registers"}
        )
        for meant, address, found in zip(self.meant, self.read, self.found, strict=True):
            read = words.read_port(domain="comb")
            m.d.comb += [
                read.addr.eq(address),
                found.eq(read.data.as_unsigned() & meant.replicate(self._word_bits)),
            ]
        writing = [decoded(m, written.address, written.valid, self._depth) for written in self.written]
        for number in range(self._depth):
            write, asks = words.write_port(), Signal(len(writing), name=f"asks_{number}")
            m.d.comb += [
                asks.eq(Cat(own[number] for own in writing)),
                write.en.eq(asks.any()), write.addr.eq(number), self.stored[number].eq(write.en),
                write.data.eq(Array(written.word for written in self.written)[encoded(asks)]),
            ]  # fmt: skip
        return m
