"""Is a scope's Hitmap complete? (paper III-C1)"""

from amaranth import Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.parameters import Parameters


class HitmapCount(Component):
    """It counts the answers of the MCACHE until each of a scope's ``vectors`` has one.

    In the cycle of the last answer the scope is ``complete``: its tags can be cleared, and what is counted
    from then on is the next scope.

    Args:
        parameters: sizes and options.
    """

    def __init__(self, parameters: Parameters) -> None:
        one = parameters
        self._most = one.sets * one.block
        super().__init__(
            {
                "reset": In(1), "vectors": In(range(self._most + 1)), "answered": In(one.cache_sets),
                "complete": Out(1),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """What is left of the scope after this cycle."""
        m = Module()
        left, after = Signal(range(self._most + 1)), Signal(range(self._most + 1))
        m.d.comb += [
            after.eq(left - sum(self.answered)),
            self.complete.eq((after == 0) & (self.vectors != 0)),
        ]
        m.d.sync += left.eq(Mux(self.reset | self.complete, self.vectors, after))
        return m
