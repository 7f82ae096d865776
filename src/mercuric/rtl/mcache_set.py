"""Is a signature in a set of the MCACHE? Its tags and their valid bits (paper III-B3, Fig. 9)."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.decoder import encoded
from mercuric.rtl.hitmap import HIT, MAU, MNU, ROW_STATE
from mercuric.rtl.parameters import Parameters


class MCacheSet(Component):
    """The tags of a set, each with its VT bit; nothing is ever replaced until ``clear``.

    A signature that is asked for is compared with all ways at once. ``state`` and ``way`` answer in the same
    cycle; where it is new and a way is free, it is there from the next cycle on.

    Args:
        parameters: sizes and options.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._ways, self._bits = parameters.ways, parameters.bits
        super().__init__(
            {
                "clear": In(1), "ask": In(1), "tag": In(self._bits),
                "state": Out(ROW_STATE), "way": Out(range(self._ways)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """Tags, a comparator each; ways fill from the first on."""
        m = Module()
        tags = [Signal(self._bits, name=f"tag_{way}") for way in range(self._ways)]
        valid, equal, first_free = (Signal(self._ways) for _ in range(3))
        m.d.comb += [
            equal.eq(Cat(valid[way] & (tag == self.tag) for way, tag in enumerate(tags))),
            first_free.eq(~valid & ((valid << 1) | 1)),
            self.state.eq(Mux(equal.any(), HIT, Mux(valid.all(), MNU, MAU))),
        ]
        chosen = Mux(equal.any(), equal, first_free)
        m.d.comb += self.way.eq(encoded(chosen))
        with m.If(self.clear):
            m.d.sync += valid.eq(0)
        with m.Elif(self.ask & (self.state == MAU)):
            m.d.sync += valid.eq(valid | first_free)
            for way, tag in enumerate(tags):
                with m.If(first_free[way]):
                    m.d.sync += tag.eq(self.tag)
        return m
