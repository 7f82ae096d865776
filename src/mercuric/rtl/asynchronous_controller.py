"""When is a filter buffer loaded again? The controller of the asynchronous design (paper III-C1, Fig. 11)."""

from amaranth import Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.parameters import Parameters
from mercuric.rtl.synchronous_controller import COUNTER_BITS


class AsynchronousController(Component):
    """It loads the next filter into the next buffer once no PE set is busy with what was in it.

    Buffers take turns. ``tasks`` filters are loaded, for all scopes together; cycles are counted from the one
    after the first load, or in which PE sets begin to sign, to the one in which the last result leaves.

    Args:
        parameters: sizes and options.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._versions = parameters.versions
        super().__init__(
            {
                "start": In(1), "signs": In(1), "tasks": In(COUNTER_BITS), "filter_valid": In(1),
                "free": In(self._versions),
                "reset": Out(1), "load": Out(self._versions), "take": Out(1), "busy": Out(1),
                "cycles": Out(COUNTER_BITS),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """Whose turn it is, and how many filters are left."""
        m = Module()
        version, left, started = Signal(range(self._versions)), Signal(COUNTER_BITS), Signal()
        m.d.comb += [
            self.reset.eq(self.start & ~self.busy),
            self.take.eq(self.busy & (left != 0) & self.filter_valid & self.free.bit_select(version, 1)),
            self.load.eq(self.take << version),
        ]
        with m.If(self.take):
            m.d.sync += [
                left.eq(left - 1),
                version.eq(Mux(version == self._versions - 1, 0, version + 1)),
            ]
        with m.Elif(self.busy & (left == 0) & self.free.all()):
            m.d.sync += self.busy.eq(0)
        with m.If(self.busy & (self.signs | self.take)):
            m.d.sync += started.eq(1)
        with m.If(started & self.busy):
            m.d.sync += self.cycles.eq(self.cycles + 1)
        with m.If(self.reset):
            m.d.sync += [self.busy.eq(1), left.eq(self.tasks), version.eq(0), started.eq(0)]
        return m
