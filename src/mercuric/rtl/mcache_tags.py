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


def answer_layout(parameters: Parameters, slots: int) -> StructLayout:
    """What a cache set says of a vector: whose it is, and its row of the Hitmap."""
    return StructLayout(
        {
            "valid": 1, "pe_set": range(parameters.sets), "slot": range(slots), "state": ROW_STATE,
            "entry": range(parameters.entries),
        }
    )  # fmt: skip


def request_layout(parameters: Parameters, slots: int) -> StructLayout:
    """A vector's signature, the cache set that it names, and the vector's row of the Hitmap."""
    one = parameters
    return StructLayout(
        {"valid": 1, "signature": one.bits, "index": range(one.cache_sets), "slot": range(slots)}
    )


class MCacheTags(Component):
    """S sets of W ways: every PE set brings signatures, every cache set answers one a cycle.

    An entry's id is set x ways + way. An answer stays until it is ``granted``.

    Args:
        parameters: sizes and options.
        slots: rows of a PE set's Hitmap.
    """

    def __init__(self, parameters: Parameters, slots: int) -> None:
        one = parameters
        self._parameters, self._slots = one, slots
        super().__init__(
            {
                "clear": In(1), "requests": In(ArrayLayout(request_layout(one, slots), one.sets)),
                "accepted": Out(one.sets), "emptied": Out(1),
                "granted": In(one.cache_sets, init=2**one.cache_sets - 1),
                "answers": Out(ArrayLayout(answer_layout(one, slots), one.cache_sets)),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """A queue in front of each set; requests go to the one that their signature names."""
        one, m = self._parameters, Module()
        accepted, emptied = [], []
        for index in range(one.cache_sets):
            queue, cache_set = InsertionQueue(one, self._slots), MCacheSet(one)
            m.submodules[f"queue_{index}"], m.submodules[f"set_{index}"] = queue, cache_set
            for pe_set in range(one.sets):
                request, item = self.requests[pe_set], queue.items[pe_set]
                m.d.comb += [
                    queue.asked[pe_set].eq(request.valid & (request.index == index)),
                    item.signature.eq(request.signature),
                    item.slot.eq(request.slot),
                    item.pe_set.eq(pe_set),
                ]
            answer = self.answers[index]
            m.d.comb += [
                cache_set.clear.eq(self.clear),
                queue.serve.eq(self.granted[index]),
                cache_set.ask.eq(queue.served),
                cache_set.tag.eq(queue.head.signature),
                answer.valid.eq(queue.waiting),
                answer.pe_set.eq(queue.head.pe_set),
                answer.slot.eq(queue.head.slot),
                answer.state.eq(cache_set.state),
                answer.entry.eq(index * one.ways + cache_set.way),
            ]
            accepted.append(queue.accepted)
            emptied.append(queue.emptied)
        m.d.comb += [self.accepted.eq(reduce(or_, accepted)), self.emptied.eq(Cat(*emptied).all())]
        return m
