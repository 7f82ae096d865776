"""What is a PE that finishes a dot product before it starts the next? (paper Fig. 8a)"""

from amaranth import Module, Mux

from mercuric.rtl.element import Element


class PlainElement(Element):
    """One multiplier, one adder, and one register for the row's sum and then the total."""

    def elaborate(self, _platform: object) -> Module:
        """The adder adds a product, or the sum from above."""
        m = Module()
        terms = self._multiplier(m)
        m.d.comb += [
            self.passes.eq(terms.valid & terms.last if self._top else self.above_passed),
            self.sum.eq(
                Mux(terms.valid & terms.first, 0, self.total) + Mux(terms.valid, terms.product, self.above)
            ),
        ]
        with m.If(terms.valid | self.passes):
            m.d.sync += self.total.eq(self.sum)
        return m
