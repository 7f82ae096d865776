"""Which random filter does a PE set sign with? Each set with its own, so that none waits (paper III-B1)."""

from amaranth import Module
from amaranth.lib.data import ArrayLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.parameters import Parameters
from mercuric.rtl.ports import window_layout


class RandomFilters(Component):
    """A window for each signature bit, written once; every PE set reads its own one in each cycle.

    Args:
        parameters: sizes and options.
    """

    def __init__(self, parameters: Parameters) -> None:
        one = parameters
        self._parameters = one
        self._window = window_layout(one)
        super().__init__(
            {
                "write": In(1), "number": In(range(one.bits)), "window": In(self._window),
                "read": In(ArrayLayout(range(one.bits), one.sets)),
                "windows": Out(ArrayLayout(self._window, one.sets)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """A memory with a port for each PE set."""
        one, m = self._parameters, Module()
        m.submodules.held = held = Memory(shape=self._window.size, depth=one.bits, init=[])
        write = held.write_port()
        m.d.comb += [
            write.addr.eq(self.number), write.data.eq(self.window), write.en.eq(self.write),
        ]  # fmt: skip
        for number, window in zip(self.read, self.windows, strict=True):
            read = held.read_port(domain="comb")
            m.d.comb += [read.addr.eq(number), window.eq(read.data)]
        return m
