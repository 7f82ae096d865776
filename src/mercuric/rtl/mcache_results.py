"""Which results can be reused? The MCACHE's data, read and written by entry id (paper III-B3, III-C1, V)."""

from amaranth import Module, Signal, signed
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.parameters import Parameters


class MCacheResults(Component):
    """A result for each entry and version, with a valid-data bit (VD) each.

    Every PE set has ports of its own: it looks at the VD bit of one entry (``asked``) and reads another
    (``read``) in the same cycle, and what it writes can be read in the next one. The words are registers
    ("slice registers ... accessed through id"). ``invalidate`` clears the VD bits of whole versions, also of
    what is written in that cycle.

    Args:
        parameters: sizes and options.
    """

    def __init__(self, parameters: Parameters) -> None:
        one = parameters
        entry, version, word = range(one.entries), range(one.versions), signed(one.word_bits)
        self._parameters = one
        place = StructLayout({"entry": entry, "version": version})
        written = StructLayout({"valid": 1, "entry": entry, "version": version, "word": word})
        super().__init__(
            {
                "invalidate": In(one.versions),
                "asked": In(ArrayLayout(place, one.sets)), "asked_valid": Out(one.sets),
                "read": In(ArrayLayout(place, one.sets)), "read_valid": Out(one.sets),
                "read_word": Out(ArrayLayout(word, one.sets)), "written": In(ArrayLayout(written, one.sets)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """One word an entry and version, and as many ports as PE sets."""
        one, m = self._parameters, Module()
        words = Memory(
            shape=signed(one.word_bits), depth=one.entries * one.versions, init=[],
            attrs={"ram_style": "registers"},
        )  # fmt: skip
        m.submodules.words = words
        valid, now = Signal(one.entries * one.versions), 0
        for pe_set in range(one.sets):
            asked, read, written = (each[pe_set] for each in (self.asked, self.read, self.written))
            reader, writer = words.read_port(domain="comb"), words.write_port()
            at_asked, at_read, at_written = (
                each.version * one.entries + each.entry for each in (asked, read, written)
            )
            m.d.comb += [
                self.asked_valid[pe_set].eq(valid.bit_select(at_asked, 1)),
                self.read_valid[pe_set].eq(valid.bit_select(at_read, 1)),
                reader.addr.eq(at_read),
                self.read_word[pe_set].eq(reader.data),
                writer.addr.eq(at_written),
                writer.data.eq(written.word),
                writer.en.eq(written.valid),
            ]
            now |= (written.valid << at_written)[: len(valid)]
        m.d.sync += valid.eq(valid | now)
        for version in range(one.versions):
            with m.If(self.invalidate[version]):
                m.d.sync += valid[version * one.entries : (version + 1) * one.entries].eq(0)
        return m
