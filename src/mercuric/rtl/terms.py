"""Which product does a PE's adder get in this cycle: the one multiplied now, or a cycle ago?"""

from amaranth import Module, Signal, signed
from amaranth.lib.wiring import Component, In, Out


class Terms(Component):
    """A PE's multiplier. A MAC unit adds a product in the cycle that multiplies it; else a register waits.

    Args:
        word_bits: of operands and product.
        mac_unit: whether there is no register.
    """

    def __init__(self, word_bits: int, mac_unit: bool) -> None:
        word = signed(word_bits)
        super().__init__(
            {
                "multiply": In(1), "first_in": In(1), "last_in": In(1),
                "element": In(word), "weight": In(word),
                "valid": Out(1), "first": Out(1), "last": Out(1), "product": Out(word),
            }
        )  # fmt: skip
        self._mac_unit = mac_unit

    def elaborate(self, _platform: object) -> Module:
        """The multiplier, and the register behind it."""
        m = Module()
        product = Signal.like(self.product)
        m.d.comb += product.eq(self.element * self.weight)
        domain = m.d.comb if self._mac_unit else m.d.sync
        domain += [
            self.valid.eq(self.multiply),
            self.first.eq(self.first_in),
            self.last.eq(self.last_in),
            self.product.eq(product),
        ]
        return m
