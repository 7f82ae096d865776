"""What is MERCURY's array in the synchronous design? All of it (paper Figs. 5 and 10, III-C1)."""

from functools import reduce
from operator import and_, or_

from amaranth import Module, Mux, Signal
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, Out

from mercuric.rtl.filter_buffer import FilterBuffer
from mercuric.rtl.mcache_results import MCacheResults
from mercuric.rtl.mcache_tags import MCacheTags, answer_layout
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.ports import answers, array_ports, loads, result_layout, reuse
from mercuric.rtl.synchronous_controller import COUNTER_BITS, SynchronousController
from mercuric.rtl.worker import Worker


class SynchronousArray(Component):
    """PE sets, MCACHE, filter buffer and controller.

    A scope's vectors are written to the PE sets' input buffers, a column of a window at a time, and
    ``lengths`` says how many each has. After ``start`` the array takes the random filters, then ``filters``
    others from ``filter``, each with ``filter_take``, and gives a result for each vector and filter; its word
    is right unless it is ``early``: read before it was there. ``answers`` are the rows of the Hitmap as they
    come, so that they can be saved (III-C2).

    Args:
        parameters: sizes and options.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._parameters, count, slots = parameters, Out(COUNTER_BITS), range(parameters.block)
        self.answer_layout = answer_layout(parameters, len(slots))
        self.result_layout = result_layout(parameters, slots, computed=1, early=1)
        super().__init__(
            {
                **array_ports(parameters, slots, self.result_layout),
                "answers": Out(ArrayLayout(self.answer_layout, parameters.cache_sets)),
                "signature_cycles": count, "queue_cycles": count, "product_cycles": count,
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """Everything side by side, and who is connected with whom."""
        one, m = self._parameters, Module()
        m.submodules.controller = controller = SynchronousController(one)
        m.submodules.filter_buffer = filters = FilterBuffer(one)
        m.submodules.mcache_tags = tags = MCacheTags(one, one.block)
        m.submodules.mcache_results = results = MCacheResults(one)
        workers = [Worker(one) for _ in range(one.sets)]
        for number, worker in enumerate(workers):
            m.submodules[f"worker_{number}"] = worker
            m.d.comb += [
                *loads(worker, self, self.write_set == number), worker.length.eq(self.lengths[number]),
                worker.enable.eq(controller.enable & results.granted[number]),
                worker.restart.eq(controller.restart), worker.signing.eq(controller.signing),
                worker.weights.eq(filters.windows[0]),
                *answers(worker, number, tags), *reuse(worker, number, results, self.results[number]),
            ]  # fmt: skip
        m.d.comb += [
            controller.start.eq(self.start), controller.filters.eq(self.filters),
            controller.filter_valid.eq(self.filter_valid), controller.emptied.eq(tags.emptied),
            controller.issued.eq(reduce(and_, (worker.issued for worker in workers))),
            controller.done.eq(reduce(and_, (worker.done for worker in workers)) & results.granted.all()),
            results.enable.eq(controller.enable),
            tags.clear.eq(controller.clear), results.invalidate.eq(controller.take),
            filters.load.eq(controller.take), filters.loaded.eq(self.filter),
            tags.granted.eq(reduce(or_, (worker.granted for worker in workers))),
            self.busy.eq(controller.busy),
            self.filter_take.eq(controller.take),
            self.signature_cycles.eq(controller.signature_cycles),
            self.queue_cycles.eq(controller.queue_cycles),
            self.product_cycles.eq(controller.product_cycles),
        ]  # fmt: skip
        for answer, given, granted in zip(self.answers, tags.answers, tags.granted, strict=True):
            m.d.comb += [answer.eq(given), answer.valid.eq(given.valid & granted)]
        self._hold_refused(m, workers, controller, tags)
        return m

    def _hold_refused(
        self, m: Module, workers: list[Worker], controller: SynchronousController, tags: MCacheTags
    ) -> None:
        """The array stands still while a queue has no room for a signature; what it took is asked once."""
        had, asks = Signal(len(workers)), Signal(len(workers))
        for number, worker in enumerate(workers):
            request = tags.requests[number]
            m.d.comb += [
                asks[number].eq(worker.complete & ~had[number]),
                request.valid.eq(asks[number]),
                request.signature.eq(worker.tag),
                request.index.eq(worker.index),
                request.slot.eq(worker.leaving_slot),
            ]
        m.d.comb += controller.refused.eq((asks & ~tags.accepted).any())
        m.d.sync += had.eq(Mux(controller.enable, 0, had | tags.accepted))
