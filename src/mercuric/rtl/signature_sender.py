"""Which signature does an asynchronous PE set bring to the MCACHE? (paper III-B3, V)"""

from amaranth import Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.mcache_tags import request_layout
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.signature_table import SignatureTable


class SignatureSender(Component):
    """The Signature Table, in which signatures wait for room in their cache set's queue.

    A signature is brought in the cycle in which it is complete. While one waits those behind it do too, one a
    cycle leaves, and the PEs go on: they never stand still for a queue. The MCACHE has tags for one scope at
    a time: who has brought a scope's signatures keeps those of the next until the Hitmap is complete.

    Args:
        parameters: sizes and options.
        buffers: input buffers.
    """

    def __init__(self, parameters: Parameters, buffers: int) -> None:
        one, slots = parameters, range(buffers * parameters.block)
        self._parameters, self._buffers = one, buffers
        super().__init__(
            {
                "reset": In(1), "length": In(range(one.block + 1)), "shift": In(1), "slot": In(slots),
                "negative": In(1), "last": In(1), "accepted": In(1), "complete": In(1),
                "request": Out(request_layout(one, len(slots))),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """How many wait, and the place of the first."""
        one, m = self._parameters, Module()
        m.submodules.table = table = SignatureTable(one, self._buffers, keeps=True)
        waiting = Signal(range(2 * one.block + 1))  # of two scopes at most
        buffer, place = Signal(range(self._buffers)), Signal(range(one.block))
        comes, sent, brought, held = (Signal() for _ in range(4))
        m.d.comb += [
            table.shift.eq(self.shift), table.slot.eq(self.slot), table.negative.eq(self.negative),
            table.last.eq(self.last), table.kept.eq(self.request.slot),
            comes.eq(self.shift & table.complete), sent.eq(self.request.valid & self.accepted),
            self.request.valid.eq(((waiting != 0) | comes) & ~held),
            self.request.signature.eq(Mux(waiting != 0, table.kept_tag, table.tag)),
            self.request.index.eq(Mux(waiting != 0, table.kept_index, table.index)),
            self.request.slot.eq(buffer * one.block + place), held.eq(brought & ~self.complete),
        ]  # fmt: skip
        m.d.sync += [waiting.eq(waiting + comes - sent), brought.eq(held)]
        with m.If(sent):
            m.d.sync += place.eq(place + 1)
            with m.If(place == self.length - 1):
                last = buffer == self._buffers - 1
                m.d.sync += [place.eq(0), brought.eq(1), buffer.eq(Mux(last, 0, buffer + 1))]
        with m.If(self.reset):
            m.d.sync += [each.eq(0) for each in (buffer, place, brought)]
        return m
