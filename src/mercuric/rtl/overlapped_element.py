"""What is a PE that starts a dot product while the last one is still being summed? (paper Fig. 8b)"""

from amaranth import Module, Mux, Signal
from amaranth.lib.wiring import Component

from mercuric.rtl.element import element_signature
from mercuric.rtl.terms import Terms


class OverlappedElement(Component):
    """A PE with the register ORg.

    A row's first product goes into ORg without the adder, which is free in that cycle to add the finished
    row's sum to the one from above and pass it on. With ``overlap`` off it works as Fig. 8a does.

    Args:
        word_bits: of all words.
        top: whether no PE is above: it adds nothing, in a cycle of its own where dot products overlap.
        mac_unit: whether it adds a product in the cycle that multiplies it.
    """

    def __init__(self, word_bits: int, *, top: bool, mac_unit: bool) -> None:
        super().__init__(element_signature(word_bits))
        self._word_bits, self._top, self._mac_unit = word_bits, top, mac_unit

    def elaborate(self, _platform: object) -> Module:
        """ORg, the row's sum that waits to be passed on, and the adder between them."""
        m = Module()
        m.submodules.terms = terms = Terms(self._word_bits, self._mac_unit)
        org = Signal.like(self.total)
        summed = Signal()  # ORg holds a whole row's sum, which has not been passed on
        adds, at_once = Signal(), Signal()
        m.d.comb += [
            terms.multiply.eq(self.multiply),
            terms.first_in.eq(self.first),
            terms.last_in.eq(self.last),
            terms.element.eq(self.element),
            terms.weight.eq(self.weight),
            at_once.eq(self._top & ~self.overlap & terms.valid & terms.last),
            self.passes.eq(at_once | (summed & (1 if self._top else self.above_passed))),
            adds.eq(terms.valid & ~terms.first),
            self.sum.eq(
                Mux(terms.valid & terms.first & ~summed, 0, org)
                + Mux(adds | at_once, terms.product, 0 if self._top else self.above)
            ),
        ]
        m.d.sync += self.passed.eq(self.passes)
        with m.If(self.passes):
            m.d.sync += [self.total.eq(self.sum), summed.eq(0)]
        with m.If(terms.valid):
            m.d.sync += [
                org.eq(Mux(terms.first, terms.product, self.sum)),
                summed.eq(terms.last & ~at_once),
            ]
        return m
