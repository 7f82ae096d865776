"""Who waits for a set of the MCACHE? Its insertion queue (paper V, MCACHE Design)."""

from itertools import pairwise

from amaranth import Module, Mux, Signal
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.parameters import Parameters


class InsertionQueue(Component):
    """Signatures that wait for one cache set: all PE sets may bring one in a cycle, one is served.

    The head is served in every cycle in which there is one, so its place is free for those that come. Of
    these, as many are ``accepted`` as there is room for, by the numbers of their PE sets.

    Args:
        parameters: sizes and options.
        slots: rows of a PE set's Hitmap.
    """

    def __init__(self, parameters: Parameters, slots: int) -> None:
        self._sets, self._places = parameters.sets, parameters.queue
        self.item_layout = StructLayout(
            {"signature": parameters.bits, "slot": range(slots), "pe_set": range(self._sets)}
        )
        super().__init__(
            {
                "asked": In(self._sets), "items": In(ArrayLayout(self.item_layout, self._sets)),
                "accepted": Out(self._sets), "served": Out(1), "head": Out(self.item_layout),
                "emptied": Out(1),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """The places, one behind the other; who comes takes the first that is free after the head is gone."""
        m = Module()
        places = [Signal(self.item_layout, name=f"place_{index}") for index in range(self._places)]
        level, kept = Signal(range(self._places + 1)), Signal(range(self._places + 1))
        m.d.comb += [
            self.served.eq(level != 0),
            self.head.eq(places[0]),
            kept.eq(level - self.served),
        ]
        with m.If(self.served):
            for place, behind in pairwise(places):
                m.d.sync += place.eq(behind)
        taken: Signal = kept
        for pe_set in range(self._sets):
            after = Signal(range(self._places + 1), name=f"taken_{pe_set}")
            accepted = self.accepted[pe_set]
            m.d.comb += [
                accepted.eq(self.asked[pe_set] & (taken < self._places)),
                after.eq(Mux(accepted, taken + 1, taken)),
            ]
            for index, place in enumerate(places):
                with m.If(accepted & (taken == index)):
                    m.d.sync += place.eq(self.items[pe_set])
            taken = after
        m.d.comb += self.emptied.eq(taken == 0)
        m.d.sync += level.eq(taken)
        return m
