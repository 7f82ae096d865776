"""Who waits for a set of the MCACHE? Its insertion queue (paper V, MCACHE Design)."""

from functools import reduce
from operator import or_

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.arbitration import chosen, grants
from mercuric.rtl.parameters import Parameters


class InsertionQueue(Component):
    """Signatures that wait for one cache set: all PE sets may bring one in a cycle, one is served.

    The head is served in every cycle in which it is ``waiting`` and may be (``serve``), so its place is free
    for those that come. Of these, as many are ``accepted`` as there is room for, and not more than
    ``queue_ports``, by the numbers of their PE sets.

    Args:
        parameters: sizes and options.
        slots: rows of a PE set's Hitmap.
    """

    def __init__(self, parameters: Parameters, slots: int) -> None:
        self._sets, self._places = parameters.sets, parameters.queue
        self._ports = min(parameters.queue_ports or self._sets, self._sets)
        self.item_layout = StructLayout(
            {"signature": parameters.bits, "slot": range(slots), "pe_set": range(self._sets)}
        )
        super().__init__(
            {
                "asked": In(self._sets), "items": In(ArrayLayout(self.item_layout, self._sets)),
                "accepted": Out(self._sets), "serve": In(1, init=1), "waiting": Out(1), "served": Out(1),
                "head": Out(self.item_layout), "emptied": Out(1),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """The places, a ring; who comes takes the first that is free when the head is gone."""
        m = Module()
        m.submodules.places = places = Memory(
            shape=self.item_layout, depth=self._places, init=[],
            attrs={"ram_style": "registers"} if self._ports > 1 else {},
        )  # fmt: skip
        read = places.read_port(domain="comb")
        first, first_after = Signal(range(self._places)), Signal(range(self._places))
        level, kept = Signal(range(self._places + 1)), Signal(range(self._places + 1))
        m.d.comb += [
            read.addr.eq(first),
            self.head.eq(read.data),
            self.waiting.eq(level != 0),
            self.served.eq(self.waiting & self.serve),
            first_after.eq(self._around(first + self.served)),
            kept.eq(level - self.served),
        ]
        granted = [] if self._ports == self._sets else grants(m, self.asked, self._ports, "grant")
        accepted = []
        taken: Value = kept
        for port, (asks, item) in enumerate(self._incoming(granted)):
            accepts, after = Signal(name=f"accepts_{port}"), Signal.like(level, name=f"taken_{port}")
            write = places.write_port()
            m.d.comb += [
                accepts.eq(asks & (taken < self._places)),
                after.eq(taken + accepts),
                write.en.eq(accepts),
                write.addr.eq(self._around(first_after + taken)),
                write.data.eq(item),
            ]
            accepted.append(accepts)
            taken = after
        m.d.comb += [
            self.accepted.eq(self._accepted(granted, accepted)),
            self.emptied.eq(taken == 0),
        ]
        m.d.sync += [level.eq(taken), first.eq(first_after)]
        return m

    def _incoming(self, granted: list[Signal]) -> list[tuple[Value, Value]]:
        """For each port whether there is a signature, and which."""
        items = [item.as_value() for item in self.items]
        if not granted:
            return list(zip(self.asked, items, strict=True))
        return [(grant.any(), chosen(grant, items)) for grant in granted]

    def _accepted(self, granted: list[Signal], accepted: list[Signal]) -> Value:
        """Whose signatures the ports took."""
        if not granted:
            return Cat(*accepted)
        took = (grant & taken.replicate(self._sets) for grant, taken in zip(granted, accepted, strict=True))
        return reduce(or_, took)

    def _around(self, place: Value) -> Value:
        """A place, where they go round."""
        if self._places & (self._places - 1) == 0:
            return place
        return Mux(place >= self._places, place - self._places, place)
