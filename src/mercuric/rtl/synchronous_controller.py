"""When do all PE sets go on to the next filter? The controller of the synchronous design (paper III-C1)."""

from amaranth import Module, Signal
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.parameters import Parameters

COUNTER_BITS = 32


class SynchronousController(Component):
    """It takes a scope through its phases: random filters, queues that empty, filters.

    ``restart`` lets all PE sets begin their blocks with the filter that ``take`` loads. After a random filter
    that is when all have issued their last vector, after a filter when no set is busy. Cycles are counted by
    phase; those in which the array stands still because a queue is full, or until queues are empty, by
    themselves, and those in which a filter is wanted and has not come not at all.

    Args:
        parameters: sizes and options.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._bits = parameters.bits
        count = Out(COUNTER_BITS)
        super().__init__(
            {
                "start": In(1), "filters": In(16), "filter_valid": In(1), "issued": In(1), "done": In(1),
                "refused": In(1), "emptied": In(1),
                "busy": Out(1), "signing": Out(1), "enable": Out(1), "restart": Out(1), "take": Out(1),
                "clear": Out(1), "signature_cycles": count, "queue_cycles": count, "product_cycles": count,
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """Four states; a filter's end is seen in the cycle in which its last result leaves."""
        m = Module()
        passes, left = Signal(range(self._bits + 1)), Signal(16)
        wants = Signal()  # a filter, from the next cycle on
        m.d.comb += [
            self.take.eq(wants & self.filter_valid),
            self.restart.eq(self.take),
            self.enable.eq((~wants | self.filter_valid) & ~self.refused),
        ]
        with m.FSM():
            with m.State("idle"):
                m.d.comb += [wants.eq(self.start), self.clear.eq(self.take)]
                with m.If(self.take):
                    m.d.sync += [passes.eq(self._bits - 1), left.eq(self.filters)]
                    m.next = "sign"
            with m.State("sign"):
                self._sign(m, passes, wants)
            with m.State("empty"):
                m.d.comb += [self.busy.eq(1), wants.eq(self.emptied)]
                with m.If(self.enable):
                    m.d.sync += self.queue_cycles.eq(self.queue_cycles + 1)
                with m.If(self.take):
                    m.d.sync += left.eq(left - 1)
                    m.next = "multiply"
            with m.State("multiply"):
                m.d.comb += [self.busy.eq(1), wants.eq(self.done & (left != 0))]
                with m.If(self.enable):
                    m.d.sync += self.product_cycles.eq(self.product_cycles + 1)
                with m.If(self.take):
                    m.d.sync += left.eq(left - 1)
                with m.If(self.done & (left == 0)):
                    m.next = "idle"
        return m

    def _sign(self, m: Module, passes: Signal, wants: Signal) -> None:
        m.d.comb += [
            self.busy.eq(1),
            self.signing.eq(1),
            wants.eq(self.issued & (passes != 0) & ~self.refused),
        ]
        with m.If(self.refused):
            m.d.sync += self.queue_cycles.eq(self.queue_cycles + 1)
        with m.Elif(self.enable):
            m.d.sync += self.signature_cycles.eq(self.signature_cycles + 1)
            with m.If(self.take):
                m.d.sync += passes.eq(passes - 1)
            with m.If(self.done & (passes == 0)):
                m.next = "empty"
