"""What does an asynchronous PE set do next? It signs a scope ahead of what it multiplies (paper III-C1)."""

from amaranth import Module, Mux, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.parameters import Parameters


class TaskOrder(Component):
    """It begins a block with the next random filter or filter as soon as it can, by itself.

    Scope ``s + 2`` is signed once its vectors are there and the set has begun all products of ``s``; where it
    can sign or multiply, it signs. So two scopes at most are signed and not multiplied. Products of a scope
    begin once its Hitmap is complete, or, with a saved one, its vectors are there; each waits for its
    filter. InUse says which input buffer the PEs read, FIUse which filter buffer, and so which version of an
    MCACHE entry. An input buffer is empty when the last of its results has left.

    Args:
        parameters: sizes and options.
        buffers: input buffers.
    """

    def __init__(self, parameters: Parameters, buffers: int) -> None:
        one = parameters
        self._parameters, self._buffers = one, buffers
        super().__init__(
            {
                "reset": In(1), "busy": In(1), "signs": In(1), "length": In(range(one.block + 1)),
                "filters": In(16), "fill": In(buffers), "load": In(one.versions), "complete": In(1),
                "issued": In(1), "left": In(1),
                "restart": Out(1), "overlap": Out(1), "signing": Out(1), "bit": Out(range(one.bits)),
                "in_use": Out(range(buffers)), "fi_use": Out(range(one.versions)), "full": Out(buffers),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """Whether signatures come next, whether that can begin, and what has begun then."""
        one, m = self._parameters, Module()
        signs, multiplies = Signal(), Signal()
        m.d.comb += [
            self.restart.eq(self.issued & self.busy & (self.length != 0) & (signs | multiplies)),
            self.overlap.eq(one.overlapped_products),
        ]
        if one.overlapped_signatures != one.overlapped_products:
            both = self.signing if one.overlapped_signatures else ~self.signing
            m.d.comb += self.overlap.eq(both & (signs == self.signing))
        with m.If(self.restart):
            m.d.sync += self.signing.eq(signs)
        scope_signed, scope_begun, scope_multiplied = Signal(), Signal(), Signal()
        signed_buffer, unread = self._unread(m, Mux(self.signs, scope_signed, scope_begun))
        ahead, hitmaps = Signal(range(3)), Signal(range(3))
        next_bit = Signal.like(self.bit)
        m.d.comb += [
            signs.eq(self.signs & ((next_bit != 0) | (unread & (ahead != 2)))),
            scope_signed.eq(self.restart & signs & (next_bit == one.bits - 1)),
        ]
        m.d.sync += [
            ahead.eq(ahead + scope_signed - scope_multiplied),
            hitmaps.eq(hitmaps + self.complete - scope_begun),
        ]
        with m.If(self.restart & signs):
            m.d.sync += [
                self.bit.eq(next_bit),
                next_bit.eq(_after(next_bit, one.bits)),
                self.in_use.eq(signed_buffer),
            ]
        with m.If(self.reset):
            m.d.sync += [each.eq(0) for each in (ahead, hitmaps, next_bit)]
        gate = Mux(self.signs, (hitmaps != 0) | self.complete, unread)
        begins = self.restart & ~signs
        m.d.comb += multiplies.eq(self._product(m, begins, gate, scope_begun, scope_multiplied))
        self._empty(m)
        return m

    def _unread(self, m: Module, reads: Value) -> tuple[Signal, Value]:
        """The next buffer whose vectors no task has had, and whether it is full."""
        buffer, unread = Signal(range(self._buffers)), Signal(self._buffers)
        m.d.sync += unread.eq((unread & ~(reads << buffer)) | self.fill)
        with m.If(reads):
            m.d.sync += buffer.eq(_after(buffer, self._buffers))
        with m.If(self.reset):
            m.d.sync += buffer.eq(0)
        return buffer, unread.bit_select(buffer, 1)

    def _product(
        self, m: Module, begins: Value, gate: Value, scope_begun: Signal, scope_multiplied: Signal
    ) -> Value:
        """Whether the next product can begin: filters that are there and were not begun wait."""
        versions = self._parameters.versions
        buffer, version, filter_ = Signal.like(self.in_use), Signal.like(self.fi_use), Signal(16)
        waiting, there = Signal(versions), Signal(versions)
        m.d.comb += [
            there.eq(waiting | self.load),
            scope_begun.eq(begins & (filter_ == 0)),
            scope_multiplied.eq(begins & (filter_ == self.filters - 1)),
        ]
        m.d.sync += waiting.eq(there & ~(begins << version))
        with m.If(begins):
            m.d.sync += [
                self.fi_use.eq(version),
                version.eq(_after(version, versions)),
                self.in_use.eq(buffer),
                filter_.eq(filter_ + 1),
            ]
            with m.If(scope_multiplied):
                m.d.sync += [filter_.eq(0), buffer.eq(_after(buffer, self._buffers))]
        with m.If(self.reset):
            m.d.sync += [each.eq(0) for each in (buffer, version, filter_, waiting)]
        return there.bit_select(version, 1) & ((filter_ != 0) | gate)

    def _empty(self, m: Module) -> None:
        """A buffer is empty when its vectors' last results have left."""
        buffer, filter_, emptied = Signal(range(self._buffers)), Signal(16), Signal(self._buffers)
        with m.If(self.left):
            m.d.sync += filter_.eq(filter_ + 1)
            with m.If(filter_ == self.filters - 1):
                m.d.comb += emptied.eq(1 << buffer)
                m.d.sync += [filter_.eq(0), buffer.eq(_after(buffer, self._buffers))]
        with m.If(self.reset):
            m.d.sync += [buffer.eq(0), filter_.eq(0)]
        m.d.sync += self.full.eq((self.full & ~emptied) | self.fill)


def _after(place: Signal, places: int) -> Value:
    """The next of ``places`` in turn."""
    return Mux(place == places - 1, 0, place + 1)
