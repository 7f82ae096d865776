"""What is a PE that starts a dot product while the last one is still being summed? (paper Fig. 8b)"""

from amaranth import Module, Mux, Signal

from mercuric.rtl.element import Element


class OverlappedElement(Element):
    """A PE with the register ORg.

    A row's first product goes into ORg without the adder, which is free in that cycle to add the finished
    row's sum to the one from above and pass it on. With ``overlap`` off it works as Fig. 8a does.
    The top PE, which adds nothing, passes its sum on in a cycle of its own where dot products overlap.
    """

    def elaborate(self, _platform: object) -> Module:
        """ORg, the row's sum that waits to be passed on, and the adder between them."""
        m = Module()
        terms = self._multiplier(m)
        org = Signal.like(self.total)
        summed = Signal()  # ORg holds a whole row's sum, which has not been passed on
        adds, at_once = Signal(), Signal()
        m.d.comb += [
            at_once.eq(self._top & ~self.overlap & terms.valid & terms.last),
            self.passes.eq(at_once | (summed & (1 if self._top else self.above_passed))),
            adds.eq(terms.valid & ~terms.first),
            self.sum.eq(
                Mux(terms.valid & terms.first & ~summed, 0, org)
                + Mux(adds | at_once, terms.product, 0 if self._top else self.above)
            ),
        ]
        with m.If(self.passes):
            m.d.sync += [self.total.eq(self.sum), summed.eq(0)]
        with m.If(terms.valid):
            m.d.sync += [
                org.eq(Mux(terms.first, terms.product, self.sum)),
                summed.eq(terms.last & ~at_once),
            ]
        return m
