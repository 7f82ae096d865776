"""What did the MCACHE say of each input vector of a PE set? The Hitmap (paper III-B3)."""

from amaranth import Array, Module, Signal
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out

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
    """State and entry id of every vector of a PE set, in registers.

    The sets of the MCACHE answer by themselves, so several rows may be written in a cycle, each by another
    cache set. That is why entry ids are here and not in the Signature Table, as the paper has them: a
    memory block takes one a cycle. ``slot`` is read at once.

    Args:
        parameters: sizes and options.
        buffers: blocks of vectors.
        writers: that may each write a row in a cycle; None: as many as cache sets.
    """

    def __init__(self, parameters: Parameters, buffers: int = 1, writers: int | None = None) -> None:
        one = parameters
        slots = range(buffers * one.block)
        self._rows = len(slots)
        super().__init__(
            {
                "answers": In(ArrayLayout(row_layout(one, buffers), writers or one.cache_sets)),
                "slot": In(slots), "state": Out(ROW_STATE), "entry": Out(range(one.entries)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """The rows, and for each of them every cache set's answer."""
        m = Module()
        states = Array(Signal.like(self.state, name=f"state_{row}") for row in range(self._rows))
        entries = Array(Signal.like(self.entry, name=f"entry_{row}") for row in range(self._rows))
        m.d.comb += [self.state.eq(states[self.slot]), self.entry.eq(entries[self.slot])]
        for answer in self.answers:
            with m.If(answer.valid):
                m.d.sync += [
                    states[answer.slot].eq(answer.state),
                    entries[answer.slot].eq(answer.entry),
                ]
        return m
