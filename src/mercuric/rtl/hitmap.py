"""What did the MCACHE say of each input vector of a PE set? The Hitmap (paper III-B3)."""

from functools import reduce
from operator import or_

from amaranth import Cat, Module, Signal
from amaranth.lib.data import ArrayLayout, StructLayout, View
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.arbitration import chosen, grants
from mercuric.rtl.parameters import Parameters

HIT, MAU, MNU = 0, 1, 2
"""As in :class:`mercuric.similarity.hitmap.HitState`."""
ROW_STATE = 2
"""Bits of a state."""


def row_layout(parameters: Parameters, buffers: int = 1) -> StructLayout:
    """A row of a PE set's Hitmap as it is written."""
    slots, entry = range(buffers * parameters.block), range(parameters.entries)
    return StructLayout({"valid": 1, "slot": slots, "state": ROW_STATE, "entry": entry})


class Hitmap(Component):
    """State and entry id of every vector of a PE set.

    The sets of the MCACHE answer by themselves, so several may want to write a row in a cycle. That is why
    entry ids are here and not in the Signature Table, as the paper has them: a memory block takes one a
    cycle. With ``hitmap_ports`` as many are ``granted`` as there are ports, by the numbers of the cache sets;
    without, all are, and the rows are registers. ``slot`` is read at once.

    Args:
        parameters: sizes and options.
        buffers: blocks of vectors.
        writers: that may want to write a row in a cycle; None: as many as cache sets.
    """

    def __init__(self, parameters: Parameters, buffers: int = 1, writers: int | None = None) -> None:
        one, writers = parameters, writers or parameters.cache_sets
        slots = range(buffers * one.block)
        self._row, self._rows = row_layout(one, buffers), len(slots)
        self._ports = min(one.hitmap_ports or writers, writers)
        super().__init__(
            {
                "answers": In(ArrayLayout(self._row, writers)), "granted": Out(writers),
                "slot": In(slots), "state": Out(ROW_STATE), "entry": Out(range(one.entries)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """The rows, and a port for each answer that is written."""
        m = Module()
        held = StructLayout({name: self._row[name].shape for name in ("state", "entry")})
        m.submodules.rows = rows = Memory(
            shape=held, depth=self._rows, init=[],
            attrs={"ram_style": "registers"} if self._ports > 1 else {},
        )  # fmt: skip
        read = rows.read_port(domain="comb")
        m.d.comb += [
            read.addr.eq(self.slot),
            self.state.eq(read.data.state),
            self.entry.eq(read.data.entry),
        ]
        for row in self._written(m):
            write = rows.write_port()
            m.d.comb += [
                write.en.eq(row.valid),
                write.addr.eq(row.slot),
                write.data.state.eq(row.state),
                write.data.entry.eq(row.entry),
            ]
        return m

    def _written(self, m: Module) -> list[View]:
        """Each port's row."""
        answers = list(self.answers)
        if self._ports == len(answers):
            m.d.comb += self.granted.eq(-1)
            return answers
        granted = grants(m, Cat(answer.valid for answer in answers), self._ports, "grant")
        m.d.comb += self.granted.eq(reduce(or_, granted))
        rows = []
        for port, grant in enumerate(granted):
            row = Signal(self._row, name=f"row_{port}")
            m.d.comb += [row.eq(chosen(grant, answers)), row.valid.eq(grant.any())]
            rows.append(row)
        return rows
