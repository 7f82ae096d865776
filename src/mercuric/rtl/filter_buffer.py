"""Which filter do the PE sets multiply with? The filter buffers (paper III-C1; Table I: registers)."""

from amaranth import Module, Signal
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.parameters import Parameters
from mercuric.rtl.ports import window_layout


class FilterBuffer(Component):
    """A window of weights for each version, loaded as a whole in one cycle: filter changes take no time.

    Args:
        parameters: sizes and options.
    """

    def __init__(self, parameters: Parameters) -> None:
        window = window_layout(parameters)
        self._versions = parameters.versions
        super().__init__(
            {
                "load": In(parameters.versions), "loaded": In(window),
                "windows": Out(ArrayLayout(window, parameters.versions)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """Registers."""
        m = Module()
        for version in range(self._versions):
            held = Signal.like(self.loaded, name=f"window_{version}")
            m.d.comb += self.windows[version].eq(held)
            with m.If(self.load[version]):
                m.d.sync += held.eq(self.loaded)
        return m
