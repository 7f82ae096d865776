"""Which PE sets have not finished with which filter? A BusyMap for each filter buffer (paper III-C1)."""

from amaranth import Cat, Module, Signal
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.parameters import Parameters


class BusyMap(Component):
    """A bit for each PE set and filter buffer.

    ``load`` sets the bits of one buffer for all ``members``; a set's bit falls when the last result of that
    filter leaves it (``finished``). ``free`` says of each buffer that no bit will be set in the next cycle,
    so that another filter can be loaded now.

    Args:
        parameters: sizes and options.
    """

    def __init__(self, parameters: Parameters) -> None:
        one = parameters
        self._parameters = one
        finish = StructLayout({"valid": 1, "version": range(one.versions)})
        super().__init__(
            {
                "load": In(one.versions), "members": In(one.sets),
                "finished": In(ArrayLayout(finish, one.sets)), "free": Out(one.versions),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """The bits, those that fall now, and those that are left."""
        m = Module()
        for version in range(self._parameters.versions):
            busy = Signal(self._parameters.sets, name=f"busy_{version}")
            falling = Cat(one.valid & (one.version == version) for one in self.finished)
            left = Signal.like(busy, name=f"left_{version}")
            m.d.comb += [left.eq(busy & ~falling), self.free[version].eq(left == 0)]
            m.d.sync += busy.eq(left)
            with m.If(self.load[version]):
                m.d.sync += busy.eq(self.members)
        return m
