"""What does a PE set do with the vector whose turn it is, and which result leaves? (paper III-C1, Fig. 10)"""

from itertools import pairwise

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib.data import StructLayout, View
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.hitmap import HIT, MAU, ROW_STATE
from mercuric.rtl.parameters import Parameters


class Turns(Component):
    """A PE set's way through its block: each vector is computed, read from the MCACHE, or waits.

    A HIT takes its turn of one cycle at the first PE. Results leave in the vectors' order, one a cycle at
    most: those under way stand in a queue, which one may pass through in the cycle of its turn. A HIT whose
    result the same set is computing need not wait for its valid-data bit: it will leave behind it.

    ``dense`` blocks, those that are signed, are computed whole, and nothing of them is stored. ``restart``
    begins the block with the next cycle. ``issued`` and ``done`` say how things will stand then:
    nothing left to start and to multiply, nothing left at all.

    Args:
        parameters: sizes and options.
        buffers: blocks that the input buffers have room for.
    """

    def __init__(self, parameters: Parameters, buffers: int = 1) -> None:
        one = parameters
        slots, entry, version = range(buffers * one.block), range(one.entries), range(one.versions)
        super().__init__(
            {
                "restart": In(1), "length": In(range(one.block + 1)), "dense": In(1), "overlap": In(1),
                "buffer": In(range(buffers)), "version": In(version),
                "state": In(ROW_STATE), "entry": In(entry), "valid": In(1),
                "free": In(1), "multiplying": In(1), "leaves": In(1),
                "slot": Out(slots), "start": Out(1), "issued": Out(1), "done": Out(1),
                "leaving": Out(1), "leaving_slot": Out(slots), "leaving_entry": Out(entry),
                "leaving_version": Out(version), "leaving_dense": Out(1), "computed": Out(1),
                "stores": Out(1), "last": Out(1),
            }
        )  # fmt: skip
        self._parameters = parameters
        self._item = StructLayout(
            {
                "slot": slots, "entry": entry, "version": version, "dense": 1, "computed": 1, "stores": 1,
                "last": 1,
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """The turn, the queue of what has had its turn, and what both leave behind."""
        one, m = self._parameters, Module()
        place, left, after = Signal(range(one.block)), *(Signal(range(one.block + 1)) for _ in range(2))
        waiting, reads, computes, taken = Signal(), Signal(), Signal(), Signal()
        incoming = Signal(self._item)
        items = [Signal(self._item, name=f"under_way_{index}") for index in range(one.in_flight)]
        level = Signal(range(one.in_flight + 1))
        level_after = Signal.like(level)
        hit, there = Signal(), Signal()
        m.d.comb += [
            waiting.eq(left != 0),
            self.slot.eq(self.buffer * one.block + place),
            hit.eq((self.state == HIT) & ~self.dense),
            there.eq(self._there(items, level)),
            reads.eq(waiting & self.free & hit & there),
            computes.eq(waiting & self.free & (~hit | (~there if one.late_hits == "recompute" else 0))),
            taken.eq(reads | computes),
            self.start.eq(computes),
            after.eq(left - taken),
            incoming.slot.eq(self.slot),
            incoming.entry.eq(self.entry),
            incoming.version.eq(self.version),
            incoming.dense.eq(self.dense),
            incoming.computed.eq(computes),
            incoming.stores.eq((self.state == MAU) & ~self.dense),
            incoming.last.eq(after == 0),
            self.issued.eq((after == 0) & ~self.multiplying & (self.overlap | (level_after == 0))),
            self.done.eq((after == 0) & ~self.multiplying & (level_after == 0)),
        ]
        m.d.sync += [
            place.eq(Mux(self.restart, 0, place + taken)),
            left.eq(Mux(self.restart, self.length, after)),
        ]
        self._leave(m, items, level, level_after, incoming, taken)
        return m

    def _there(self, items: list[View], level: Signal) -> Value:
        """Whether a HIT may be read: its valid-data bit is set, or this set is computing its result."""
        if self._parameters.late_hits == "ready":
            return Cat(1)
        own = [
            (index < level) & item.stores & (item.entry == self.entry) & (item.version == self.version)
            for index, item in enumerate(items)
        ]
        return self.valid | Cat(*own).any()

    def _leave(
        self, m: Module, items: list[View], level: Signal, level_after: Signal, incoming: View, taken: Signal
    ) -> None:
        head, stays, leaves_queue = Signal(self._item), Signal(), Signal()
        m.d.comb += [
            head.eq(Mux(level == 0, incoming, items[0])),
            self.leaving.eq(((level != 0) | taken) & (~head.computed | self.leaves)),
            leaves_queue.eq(self.leaving & (level != 0)),
            stays.eq(taken & ~(self.leaving & (level == 0))),
            level_after.eq(level - leaves_queue + stays),
            self.leaving_slot.eq(head.slot),
            self.leaving_entry.eq(head.entry),
            self.leaving_version.eq(head.version),
            self.leaving_dense.eq(head.dense),
            self.computed.eq(head.computed),
            self.stores.eq(head.stores & self.leaving),
            self.last.eq(head.last),
        ]
        m.d.sync += level.eq(level_after)
        with m.If(leaves_queue):
            for item, behind in pairwise(items):
                m.d.sync += item.eq(behind)
        for index, item in enumerate(items):
            with m.If(stays & (level_after == index + 1)):
                m.d.sync += item.eq(incoming)
