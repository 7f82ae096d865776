"""Which results can be reused? The MCACHE's data, read and written by entry id (paper III-B3, III-C1, V)."""

from functools import reduce
from operator import or_

from amaranth import Cat, Const, Module, Signal, Value, signed
from amaranth.lib.data import ArrayLayout, StructLayout, View
from amaranth.lib.wiring import Component, In, Out
from amaranth.utils import exact_log2

from mercuric.rtl.arbitration import Grant, chosen, grants
from mercuric.rtl.memory_banks import MemoryBanks
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.register_file import RegisterFile


class MCacheResults(Component):
    """A result for each entry and version, with a valid-data bit (VD) each.

    In one cycle every PE set looks at the VD bit of one entry (``asked``), and reads another (``reads``,
    ``read``) or writes one. What is written can be read in the next cycle. The words are registers ("slice
    registers ... accessed through id"), or a memory of as many banks as ports: entries go round, and a bank
    has one port for reading and one for writing. With a port for each PE set all are ``granted``; with fewer,
    of those that want to read, and of those that want to write, as many as there are ports (of those that
    want the same bank, one), by their numbers. Nothing is written unless ``enable``. ``invalidate`` clears
    the VD bits of whole versions, also of what is written in that cycle. ``read_valid`` is the VD bit of what
    is read where HITs don't wait for it; else it is set.

    Args:
        parameters: sizes and options.
    """

    def __init__(self, parameters: Parameters) -> None:
        one = parameters
        entry, version, word = range(one.entries), range(one.versions), signed(one.word_bits)
        self._parameters = one
        self._ports = (
            one.ports or one.sets if one.results == "memory" else min(one.ports or one.sets, one.sets)
        )
        place = StructLayout({"entry": entry, "version": version})
        self._written = StructLayout({"valid": 1, "entry": entry, "version": version, "word": word})
        super().__init__(
            {
                "enable": In(1), "invalidate": In(one.versions), "granted": Out(one.sets),
                "asked": In(ArrayLayout(place, one.sets)), "asked_valid": Out(one.sets),
                "reads": In(one.sets), "read": In(ArrayLayout(place, one.sets)), "read_valid": Out(one.sets),
                "read_word": Out(ArrayLayout(word, one.sets)),
                "written": In(ArrayLayout(self._written, one.sets)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """One word an entry and version, and a VD bit."""
        one, m = self._parameters, Module()
        words = one.entries * one.versions
        kind = RegisterFile if one.results == "registers" else MemoryBanks
        m.submodules.store = store = kind(words, self._ports, one.word_bits)
        reading, writing = self._read(m, store), self._write(m, store)
        m.d.comb += self.granted.eq(reading & writing)
        valid = Signal(words)
        m.d.sync += valid.eq(valid | store.stored)
        for version in range(one.versions):
            with m.If(self.invalidate[version]):
                m.d.sync += valid[version * one.entries : (version + 1) * one.entries].eq(0)
        for pe_set, (asked, read) in enumerate(zip(self.asked, self.read, strict=True)):
            looked = valid.bit_select(self._address(read), 1) if one.late_hits == "ready" else 1
            m.d.comb += [
                self.asked_valid[pe_set].eq(valid.bit_select(self._address(asked), 1)),
                self.read_valid[pe_set].eq(looked),
            ]
        return m

    def _address(self, place: View) -> Value:
        """Of a word, and of its VD bit."""
        return place.version * self._parameters.entries + place.entry

    def _grants(self, m: Module, asks: Value, addresses: list[Value], name: str) -> list[Grant]:
        """Who gets each port."""
        one, ports = self._parameters, self._ports
        if one.results == "memory":
            bits = exact_log2(ports)
            return [
                grants(m, asks & Cat(address[:bits] == bank for address in addresses), 1, f"{name}_{bank}")[0]
                for bank in range(ports)
            ]
        if ports < one.sets:
            return list(grants(m, asks, ports, name))
        return [
            [ask if own == port else Const(0) for own, ask in enumerate(asks)] for port in range(one.sets)
        ]

    def _read(self, m: Module, store: RegisterFile | MemoryBanks) -> Value:
        """Each PE set's word, and which of them need not wait."""
        addresses = [self._address(place) for place in self.read]
        readers = self._grants(m, self.reads, addresses, "reader")
        for port, grant in enumerate(readers):
            m.d.comb += store.read[port].eq(chosen(grant, addresses))
        for pe_set, word in enumerate(self.read_word):
            m.d.comb += word.eq(
                chosen([grant[pe_set] for grant in readers], (found.as_unsigned() for found in store.found))
            )
        return _served(readers) | ~self.reads

    def _write(self, m: Module, store: RegisterFile | MemoryBanks) -> Value:
        """Which PE sets need not wait."""
        asks = Cat(written.valid for written in self.written)
        addresses = [self._address(written) for written in self.written]
        writers = self._grants(m, asks, addresses, "writer")
        for written, grant in zip(store.written, writers, strict=True):
            m.d.comb += [
                written.valid.eq(Cat(*grant).any() & self.enable),
                written.address.eq(chosen(grant, addresses)),
                written.word.eq(chosen(grant, (written.word.as_unsigned() for written in self.written))),
            ]
        return _served(writers) | ~asks


def _served(ports: list[Grant]) -> Value:
    """Who got one of the ports."""
    return reduce(or_, (Cat(*grant) for grant in ports))
