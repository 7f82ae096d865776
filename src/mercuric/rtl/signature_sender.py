"""Which signature does an asynchronous PE set bring to the MCACHE? (paper III-B3, V)"""

from amaranth import Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.mcache_tags import request_layout
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.signature_table import SignatureTable


class SignatureSender(Component):
    """The Signature Table, in which signatures wait for room in their cache set's queue.

    A signature is brought in the cycle in which it is complete. While one waits those behind it do too, one a
    cycle leaves, and the PEs go on: they never stand still for a queue. Where the MCACHE has tags for one
    scope only (``scopes`` is 1), a scope's signatures wait until the Hitmap of the scope before is complete.

    Args:
        parameters: sizes and options.
        buffers: input buffers.
        scopes: whose tags the MCACHE holds at a time, 1 or 2.
    """

    def __init__(self, parameters: Parameters, buffers: int, scopes: int) -> None:
        one, slots = parameters, range(buffers * parameters.block)
        self._parameters, self._buffers, self._scopes = one, buffers, scopes
        super().__init__(
            {
                "reset": In(1), "length": In(range(one.block + 1)), "shift": In(1), "slot": In(slots),
                "negative": In(1), "last": In(1), "accepted": In(1), "complete": In(1),
                "request": Out(request_layout(one, len(slots), scopes)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """How many wait, and the place of the first."""
        one, m = self._parameters, Module()
        m.submodules.table = table = SignatureTable(one, self._buffers, keeps=True)
        waiting = Signal(range(2 * one.block + 1))  # of two scopes at most
        buffer, place, scope = Signal(range(self._buffers)), Signal(range(one.block)), Signal()
        comes, sent = Signal(), Signal()
        m.d.comb += [
            table.shift.eq(self.shift), table.slot.eq(self.slot), table.negative.eq(self.negative),
            table.last.eq(self.last), table.kept.eq(self.request.slot),
            comes.eq(self.shift & table.complete), sent.eq(self.request.valid & self.accepted),
            self.request.valid.eq(((waiting != 0) | comes) & ~self._held(m, sent, place)),
            self.request.signature.eq(Mux(waiting != 0, table.kept_tag, table.tag)),
            self.request.index.eq(Mux(waiting != 0, table.kept_index, table.index)),
            self.request.slot.eq(buffer * one.block + place), self.request.scope.eq(scope),
        ]  # fmt: skip
        m.d.sync += waiting.eq(waiting + comes - sent)
        with m.If(sent):
            m.d.sync += place.eq(place + 1)
            with m.If(place == self.length - 1):
                last = buffer == self._buffers - 1
                m.d.sync += [place.eq(0), scope.eq(~scope), buffer.eq(Mux(last, 0, buffer + 1))]
        with m.If(self.reset):
            m.d.sync += [each.eq(0) for each in (buffer, place, scope)]
        return m

    def _held(self, m: Module, sent: Signal, place: Signal) -> Signal | int:
        """Whether the MCACHE still has the tags of the scope that this set has sent whole."""
        if self._scopes > 1:
            return 0
        whole, held = Signal(), Signal()
        m.d.comb += held.eq(whole & ~self.complete)
        m.d.sync += whole.eq(held)
        with m.If(sent & (place == self.length - 1)):
            m.d.sync += whole.eq(1)
        with m.If(self.reset):
            m.d.sync += whole.eq(0)
        return held
