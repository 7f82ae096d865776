"""Which results can be reused? The MCACHE's data, read and written by entry id (paper III-B3, III-C1, V)."""

from functools import reduce
from operator import or_

from amaranth import Cat, Const, Module, Signal, Value, signed
from amaranth.lib.data import ArrayLayout, StructLayout, View
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out
from amaranth.utils import exact_log2

from mercuric.rtl.arbitration import Grant, chosen, grants
from mercuric.rtl.decoder import decoded
from mercuric.rtl.parameters import Parameters


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
        self._parameters, self._banks = one, one.ports or 1 if one.results == "memory" else 1
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
        banks = [
            Memory(
                shape=signed(one.word_bits), depth=-(-one.entries * one.versions // self._banks), init=[],
                attrs={"ram_style": "registers"} if one.results == "registers" else {},
            )
            for _ in range(self._banks)
        ]  # fmt: skip
        for number, bank in enumerate(banks):
            m.submodules[f"bank_{number}"] = bank
        valid, now = Signal(one.entries * one.versions), Signal(one.entries * one.versions)
        reading, writing = self._read(m, banks), self._write(m, banks, now)
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

    def _ports(
        self, m: Module, banks: list[Memory], asks: Value, addresses: list[Value], name: str
    ) -> list[tuple[Memory, Grant]]:
        """The bank of each port, and who gets the port."""
        one, bits = self._parameters, exact_log2(self._banks)
        if one.results == "memory":
            wanted = [
                asks & Cat(address[:bits] == bank for address in addresses) for bank in range(len(banks))
            ]
            return [
                (bank, grants(m, wants, 1, f"{name}_{number}")[0])
                for number, (bank, wants) in enumerate(zip(banks, wanted, strict=True))
            ]
        if (one.ports or one.sets) < one.sets:
            return [(banks[0], grant) for grant in grants(m, asks, one.ports or 0, name)]
        return [
            (banks[0], [ask if own == pe_set else Const(0) for own in range(one.sets)])
            for pe_set, ask in enumerate(asks)
        ]

    def _read(self, m: Module, banks: list[Memory]) -> Value:
        """Each PE set's word, and which of them need not wait."""
        addresses = [self._address(place) for place in self.read]
        readers = self._ports(m, banks, self.reads, addresses, "reader")
        found: list[Value] = []
        for bank, grant in readers:
            port = bank.read_port(domain="comb")
            m.d.comb += port.addr.eq(chosen(grant, addresses) >> exact_log2(self._banks))
            found.append(port.data.as_unsigned())
        for pe_set, word in enumerate(self.read_word):
            m.d.comb += word.eq(chosen([grant[pe_set] for _, grant in readers], found))
        return reduce(or_, (Cat(*grant) for _, grant in readers)) | ~self.reads

    def _write(self, m: Module, banks: list[Memory], now: Signal) -> Value:
        """What is written, the VD bits that are set, and which PE sets need not wait."""
        asks = Cat(written.valid for written in self.written)
        addresses = [self._address(written) for written in self.written]
        writers = self._ports(m, banks, asks, addresses, "writer")
        setting = []
        for bank, grant in writers:
            port = bank.write_port()
            m.d.comb += [
                port.addr.eq(chosen(grant, addresses) >> exact_log2(self._banks)),
                port.data.eq(chosen(grant, (written.word.as_unsigned() for written in self.written))),
                port.en.eq(Cat(*grant).any() & self.enable),
            ]
            setting.append(decoded(m, port.addr, port.en, bank.depth))
        if self._parameters.results == "memory":
            for number, bits in enumerate(setting):
                m.d.comb += now[number :: self._banks].eq(bits)
        else:
            m.d.comb += now.eq(reduce(or_, setting))
        return reduce(or_, (Cat(*grant) for _, grant in writers)) | ~asks
