"""Which vectors are alike? The MCACHE's sets, each with its queue and controller (paper III-B3, V)."""

from functools import reduce
from operator import or_

from amaranth import Cat, Module
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.hitmap import ROW_STATE
from mercuric.rtl.insertion_queue import InsertionQueue
from mercuric.rtl.mcache_set import MCacheSet
from mercuric.rtl.parameters import Parameters


def answer_layout(parameters: Parameters, slots: int, scopes: int = 1) -> StructLayout:
    """What a cache set says of a vector: whose it is, its row of the Hitmap, and of which scope."""
    return StructLayout(
        {
            "valid": 1, "pe_set": range(parameters.sets), "slot": range(slots), "state": ROW_STATE,
            "entry": range(parameters.entries), "scope": range(scopes),
        }
    )  # fmt: skip


def request_layout(parameters: Parameters, slots: int, scopes: int = 1) -> StructLayout:
    """A vector's signature, the cache set that it names, the vector's row of the Hitmap, and its scope."""
    return StructLayout(
        {
            "valid": 1, "signature": parameters.bits, "index": range(parameters.cache_sets),
            "slot": range(slots), "scope": range(scopes),
        }
    )  # fmt: skip


class MCacheTags(Component):
    """S sets of W ways: every PE set brings signatures, every cache set answers one a cycle.

    An entry's id is set x ways + way. An answer stays until it is ``granted``. Where signatures of two scopes
    may come together, a cache set has tags for each, and one queue.

    Args:
        parameters: sizes and options.
        slots: rows of a PE set's Hitmap.
        scopes: that have tags of their own.
    """

    def __init__(self, parameters: Parameters, slots: int, scopes: int = 1) -> None:
        one = parameters
        self._parameters, self._slots, self._scopes = one, slots, scopes
        request = request_layout(one, slots, scopes)
        super().__init__(
            {
                "clear": In(scopes), "requests": In(ArrayLayout(request, one.sets)),
                "accepted": Out(one.sets), "emptied": Out(1),
                "granted": In(one.cache_sets, init=2**one.cache_sets - 1),
                "answers": Out(ArrayLayout(answer_layout(one, slots, scopes), one.cache_sets)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """A queue in front of each set; requests go to the one that their signature names."""
        one, m = self._parameters, Module()
        accepted, emptied = [], []
        for index in range(one.cache_sets):
            queue = InsertionQueue(one, self._slots, self._scopes)
            m.submodules[f"queue_{index}"] = queue
            for pe_set in range(one.sets):
                request, item = self.requests[pe_set], queue.items[pe_set]
                m.d.comb += [
                    queue.asked[pe_set].eq(request.valid & (request.index == index)),
                    item.signature.eq(request.signature),
                    item.slot.eq(request.slot),
                    item.pe_set.eq(pe_set),
                    item.scope.eq(request.scope),
                ]
            answer = self.answers[index]
            m.d.comb += [
                queue.serve.eq(self.granted[index]),
                answer.valid.eq(queue.waiting),
                answer.pe_set.eq(queue.head.pe_set),
                answer.slot.eq(queue.head.slot),
                answer.scope.eq(queue.head.scope),
            ]
            self._tags(m, index, queue)
            accepted.append(queue.accepted)
            emptied.append(queue.emptied)
        m.d.comb += [self.accepted.eq(reduce(or_, accepted)), self.emptied.eq(Cat(*emptied).all())]
        return m

    def _tags(self, m: Module, index: int, queue: InsertionQueue) -> None:
        """The tags of a cache set, and their answer to the head of its queue."""
        answer = self.answers[index]
        for scope in range(self._scopes):
            asked = queue.head.scope == scope
            tags = MCacheSet(self._parameters)
            m.submodules[f"set_{index}" if self._scopes == 1 else f"set_{index}_{scope}"] = tags
            m.d.comb += [
                tags.clear.eq(self.clear[scope]),
                tags.ask.eq(queue.served & asked),
                tags.tag.eq(queue.head.signature),
            ]
            with m.If(asked):
                m.d.comb += [
                    answer.state.eq(tags.state),
                    answer.entry.eq(index * self._parameters.ways + tags.way),
                ]
