"""Is a scope's Hitmap complete? Two scopes at most are signed at a time (paper III-C1)."""

from amaranth import Module, Signal
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.parameters import Parameters


class HitmapCount(Component):
    """It counts the answers of the MCACHE until every vector of a scope has one.

    In the cycle of the last answer the ``oldest`` scope is ``complete``; what is counted for it is then the
    scope after the next. Scopes are complete in their order, one a cycle at most. A PE set signs scope
    ``s + 2`` only after its products of ``s``, which need the Hitmap of ``s``: two counters do.

    Args:
        parameters: sizes and options.
        scopes: whose signatures may come together, 1 or 2.
    """

    def __init__(self, parameters: Parameters, scopes: int) -> None:
        one = parameters
        self._scopes, self._most = scopes, one.sets * one.block
        answer = StructLayout({"valid": 1, "scope": range(scopes)})
        super().__init__(
            {
                "reset": In(1), "vectors": In(range(self._most + 1)),
                "answers": In(ArrayLayout(answer, one.cache_sets)),
                "complete": Out(1), "oldest": Out(range(scopes)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """What is left of each scope after this cycle."""
        m = Module()
        for scope in range(self._scopes):
            left = Signal(range(self._most + 1), name=f"left_{scope}")
            after = Signal.like(left, name=f"after_{scope}")
            counted = sum(answer.valid & (answer.scope == scope) for answer in self.answers)
            m.d.comb += after.eq(left - counted)
            m.d.sync += left.eq(after)
            with m.If(self.oldest == scope):
                m.d.comb += self.complete.eq((after == 0) & (self.vectors != 0))
            with m.If(self.reset | (self.complete & (self.oldest == scope))):
                m.d.sync += left.eq(self.vectors)
        m.d.sync += self.oldest.eq(self.oldest ^ self.complete)
        with m.If(self.reset):
            m.d.sync += self.oldest.eq(0)
        return m
