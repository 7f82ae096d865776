"""Which results can be reused? The MCACHE's data, read and written by entry id (paper III-B3, III-C1, V)."""

from amaranth import Array, Cat, Const, Module, Signal, Value, signed
from amaranth.lib.data import ArrayLayout, StructLayout, View
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.parameters import Parameters


class MCacheResults(Component):
    """A result for each entry and version, with a valid-data bit (VD) each.

    In one cycle every PE set looks at the VD bit of one entry (``asked``), and reads another (``reads``,
    ``read``) or writes one. What is written can be read in the next cycle. With a port for each PE set the
    words are registers ("slice registers ... accessed through id") and all are ``granted``. With fewer ports
    they are a memory; of those that want to read, and of those that want to write, as many are granted as
    there are ports, by their numbers. Nothing is written unless ``enable``. ``invalidate`` clears the VD bits
    of whole versions, also of what is written in that cycle.

    Args:
        parameters: sizes and options.
    """

    def __init__(self, parameters: Parameters) -> None:
        one = parameters
        entry, version, word = range(one.entries), range(one.versions), signed(one.word_bits)
        self._parameters, self._ports = one, min(one.ports or one.sets, one.sets)
        place = StructLayout({"entry": entry, "version": version})
        written = StructLayout({"valid": 1, "entry": entry, "version": version, "word": word})
        super().__init__(
            {
                "enable": In(1), "invalidate": In(one.versions), "granted": Out(one.sets),
                "asked": In(ArrayLayout(place, one.sets)), "asked_valid": Out(one.sets),
                "reads": In(one.sets), "read": In(ArrayLayout(place, one.sets)), "read_valid": Out(one.sets),
                "read_word": Out(ArrayLayout(word, one.sets)), "written": In(ArrayLayout(written, one.sets)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """One word an entry and version, and a VD bit."""
        one, m = self._parameters, Module()
        words = Memory(
            shape=signed(one.word_bits), depth=one.entries * one.versions, init=[],
            attrs={"ram_style": "registers"} if self._ports == one.sets else {},
        )  # fmt: skip
        m.submodules.words = words
        writes = Cat(written.valid for written in self.written)
        readers, writers = self._ranks(m, self.reads, "read"), self._ranks(m, writes, "write")
        valid, now = Signal(one.entries * one.versions), 0
        for pe_set in range(one.sets):
            asked, written = self._address(self.asked[pe_set]), self._address(self.written[pe_set])
            granted = self.granted[pe_set]
            m.d.comb += [
                granted.eq(
                    (~self.reads[pe_set] | (readers[pe_set] < self._ports))
                    & (~writes[pe_set] | (writers[pe_set] < self._ports))
                ),
                self.asked_valid[pe_set].eq(valid.bit_select(asked, 1)),
                self.read_valid[pe_set].eq(valid.bit_select(self._address(self.read[pe_set]), 1)),
            ]
            now |= ((writes[pe_set] & granted & self.enable) << written)[: len(valid)]
        m.d.sync += valid.eq(valid | now)
        for version in range(one.versions):
            with m.If(self.invalidate[version]):
                m.d.sync += valid[version * one.entries : (version + 1) * one.entries].eq(0)
        self._connect(m, words, readers, writers)
        return m

    def _address(self, place: View) -> Value:
        return place.version * self._parameters.entries + place.entry

    def _ranks(self, m: Module, asks: Value, name: str) -> list[Value]:
        """The port of each PE set that asks for one: its own, or as many as ask before it."""
        sets = range(self._parameters.sets)
        if self._ports == len(sets):
            return [Const(pe_set, range(len(sets))) for pe_set in sets]
        ranks = [Signal(range(self._parameters.sets), name=f"{name}_rank_{pe_set}") for pe_set in sets]
        for pe_set in sets[1:]:
            m.d.comb += ranks[pe_set].eq(ranks[pe_set - 1] + asks[pe_set - 1])
        return ranks

    def _connect(self, m: Module, words: Memory, readers: list[Value], writers: list[Value]) -> None:
        """Each port with the PE set that has it."""
        ports = range(self._ports)
        reading = [words.read_port(domain="comb") for _ in ports]
        writing = [words.write_port() for _ in ports]
        found = Array(port.data for port in reading)
        for pe_set, (reader, writer) in enumerate(zip(readers, writers, strict=True)):
            m.d.comb += self.read_word[pe_set].eq(found[reader])
            written = self.written[pe_set]
            for port in [pe_set] if self._ports == len(readers) else ports:
                with m.If(self.reads[pe_set] & (reader == port)):
                    m.d.comb += reading[port].addr.eq(self._address(self.read[pe_set]))
                with m.If(written.valid & (writer == port)):
                    m.d.comb += [
                        writing[port].addr.eq(self._address(written)),
                        writing[port].data.eq(written.word),
                        writing[port].en.eq(self.enable),
                    ]
