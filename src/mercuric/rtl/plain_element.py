"""What is a PE that finishes a dot product before it starts the next? (paper Fig. 8a)"""

from amaranth import Module, Mux
from amaranth.lib.wiring import Component

from mercuric.rtl.element import element_signature
from mercuric.rtl.terms import Terms


class PlainElement(Component):
    """One multiplier, one adder, and one register for the row's sum and then the total.

    Args:
        word_bits: of all words.
        top: whether no PE is above: its row's sum is its total.
        mac_unit: whether it adds a product in the cycle that multiplies it.
    """

    def __init__(self, word_bits: int, *, top: bool, mac_unit: bool) -> None:
        super().__init__(element_signature(word_bits))
        self._word_bits, self._top, self._mac_unit = word_bits, top, mac_unit

    def elaborate(self, _platform: object) -> Module:
        """The adder adds a product, or the sum from above."""
        m = Module()
        m.submodules.terms = terms = Terms(self._word_bits, self._mac_unit)
        m.d.comb += [
            terms.multiply.eq(self.multiply),
            terms.first_in.eq(self.first),
            terms.last_in.eq(self.last),
            terms.element.eq(self.element),
            terms.weight.eq(self.weight),
            self.passes.eq(terms.valid & terms.last if self._top else self.above_passed),
            self.sum.eq(
                Mux(terms.valid & terms.first, 0, self.total) + Mux(terms.valid, terms.product, self.above)
            ),
        ]
        m.d.sync += self.passed.eq(self.passes)
        with m.If(terms.valid | self.passes):
            m.d.sync += self.total.eq(self.sum)
        return m
