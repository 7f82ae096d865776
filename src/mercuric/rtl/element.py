"""What goes into a processing element, and what comes out? (paper III-B2, Fig. 8)"""

from amaranth import Module, signed
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.terms import Terms


class Element(Component):
    """A PE, whether its dot products overlap or not.

    ``multiply`` says that ``element`` and ``weight`` are there, ``first`` and ``last`` that they begin and
    end a row. ``above`` is the sum that the PE above passed on, one cycle after its ``passes``. In the
    cycle in which the PE ``passes``, ``sum`` is what it passes on; ``total`` keeps it from then on.

    Args:
        word_bits: of all words.
        top: whether no PE is above.
        mac_unit: whether it adds a product in the cycle that multiplies it.
    """

    def __init__(self, word_bits: int, *, top: bool, mac_unit: bool) -> None:
        word = signed(word_bits)
        super().__init__(
            {
                "multiply": In(1), "first": In(1), "last": In(1), "element": In(word), "weight": In(word),
                "overlap": In(1), "above": In(word), "above_passed": In(1),
                "passes": Out(1), "passed": Out(1), "sum": Out(word), "total": Out(word),
            }
        )  # fmt: skip
        self._word_bits, self._top, self._mac_unit = word_bits, top, mac_unit

    def _multiplier(self, m: Module) -> Terms:
        """What is to be added, and when; ``passed`` says a cycle later that a sum was passed on."""
        m.submodules.terms = terms = Terms(self._word_bits, self._mac_unit)
        m.d.comb += [
            terms.multiply.eq(self.multiply), terms.first_in.eq(self.first), terms.last_in.eq(self.last),
            terms.element.eq(self.element), terms.weight.eq(self.weight),
        ]  # fmt: skip
        m.d.sync += self.passed.eq(self.passes)
        return terms
