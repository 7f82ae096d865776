"""Which results can be reused? The MCACHE's data, read and written by entry id (paper III-B3, III-C1, V)."""

from functools import reduce
from operator import or_

from amaranth import Cat, Const, Module, Signal, Value, signed
from amaranth.lib.data import ArrayLayout, StructLayout, View
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.arbitration import chosen, grants
from mercuric.rtl.decoder import decoded
from mercuric.rtl.parameters import Parameters


class MCacheResults(Component):
    """A result for each entry and version, with a valid-data bit (VD) each.

    In one cycle every PE set looks at the VD bit of one entry (``asked``), and reads another (``reads``,
    ``read``) or writes one. What is written can be read in the next cycle. The words are registers ("slice
    registers ... accessed through id") or a memory. With a port for each PE set all are ``granted``; with
    fewer, of those that want to read, and of those that want to write, as many as there are ports, by their
    numbers. Nothing is written unless ``enable``. ``invalidate`` clears the VD bits of whole versions, also
    of what is written in that cycle. ``read_valid`` is the VD bit of what is read where HITs don't wait for
    it; else it is set.

    Args:
        parameters: sizes and options.
    """

    def __init__(self, parameters: Parameters) -> None:
        one = parameters
        entry, version, word = range(one.entries), range(one.versions), signed(one.word_bits)
        self._parameters, self._ports = one, min(one.ports or one.sets, one.sets)
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
        m.submodules.words = words = Memory(
            shape=signed(one.word_bits), depth=one.entries * one.versions, init=[],
            attrs={"ram_style": "registers"} if one.results == "registers" else {},
        )  # fmt: skip
        valid, now = Signal(one.entries * one.versions), Signal(one.entries * one.versions)
        reading, writing = self._read(m, words), self._write(m, words, now)
        m.d.comb += self.granted.eq(reading & writing)
        m.d.sync += valid.eq(valid | now)
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

    def _read(self, m: Module, words: Memory) -> Value:
        """Each PE set's word, and which of them need not wait."""
        addresses = [self._address(place) for place in self.read]
        own = self._ports == len(addresses)
        readers = [] if own else grants(m, self.reads, self._ports, "reader")
        found: list[Value] = []
        for address in addresses if own else [chosen(reader, addresses) for reader in readers]:
            port = words.read_port(domain="comb")
            m.d.comb += port.addr.eq(address)
            found.append(port.data.as_unsigned())
        for pe_set, word in enumerate(self.read_word):
            grant = Cat(reader[pe_set] for reader in readers)
            m.d.comb += word.eq(found[pe_set] if own else chosen(grant, found))
        return Const(-1, len(addresses)) if own else reduce(or_, readers) | ~self.reads

    def _write(self, m: Module, words: Memory, now: Signal) -> Value:
        """What is written, the VD bits that are set, and which PE sets need not wait."""
        asks = Cat(written.valid for written in self.written)
        own = self._ports == len(asks)
        writers = [] if own else grants(m, asks, self._ports, "writer")
        setting = []
        for written in self.written if own else [self._chosen(writer) for writer in writers]:
            port = words.write_port()
            m.d.comb += [
                port.addr.eq(self._address(written)),
                port.data.eq(written.word),
                port.en.eq(written.valid & self.enable),
            ]
            setting.append(decoded(m, port.addr, port.en, len(now)))
        m.d.comb += now.eq(reduce(or_, setting))
        return Const(-1, len(asks)) if own else reduce(or_, writers) | ~asks

    def _chosen(self, writer: Signal) -> View:
        return View(self._written, chosen(writer, self.written))
