"""What is MERCURY's array in the synchronous design? All of it (paper Figs. 5 and 10, III-C1)."""

from functools import reduce
from operator import and_, or_

from amaranth import Module, Mux, Signal, signed
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.filter_buffer import FilterBuffer
from mercuric.rtl.mcache_results import MCacheResults
from mercuric.rtl.mcache_tags import MCacheTags, answer_layout
from mercuric.rtl.parameters import Parameters
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
        one, word, count = parameters, signed(parameters.word_bits), Out(COUNTER_BITS)
        self._parameters, self.answer_layout = one, answer_layout(one, one.block)
        self.result_layout = StructLayout(
            {"valid": 1, "slot": range(one.block), "computed": 1, "early": 1, "word": word}
        )
        super().__init__(
            {
                "write": In(1), "write_set": In(range(one.sets)), "write_slot": In(range(one.block)),
                "write_column": In(range(one.kernel_columns)),
                "write_words": In(ArrayLayout(word, one.kernel_rows)),
                "lengths": In(ArrayLayout(range(one.block + 1), one.sets)),
                "start": In(1), "filters": In(16), "filter_valid": In(1),
                "filter": In(ArrayLayout(word, one.kernel_rows * one.kernel_columns)),
                "filter_take": Out(1), "busy": Out(1),
                "answers": Out(ArrayLayout(self.answer_layout, one.cache_sets)),
                "results": Out(ArrayLayout(self.result_layout, one.sets)),
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
            self._worker(m, number, worker, controller, filters)
            self._mcache(m, number, worker, tags, results)
            m.d.comb += worker.enable.eq(controller.enable & results.granted[number])
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

    def _worker(
        self, m: Module, number: int, worker: Worker, controller: SynchronousController, filters: FilterBuffer
    ) -> None:
        m.d.comb += [
            worker.restart.eq(controller.restart),
            worker.signing.eq(controller.signing), worker.weights.eq(filters.windows[0]),
            worker.length.eq(self.lengths[number]), worker.write.eq(self.write & (self.write_set == number)),
            worker.write_slot.eq(self.write_slot), worker.write_column.eq(self.write_column),
            worker.write_words.eq(self.write_words),
        ]  # fmt: skip

    def _mcache(
        self,
        m: Module,
        number: int,
        worker: Worker,
        tags: MCacheTags,
        results: MCacheResults,
    ) -> None:
        """A PE set's ports to the MCACHE, and the array's output."""
        written, out = results.written[number], self.results[number]
        m.d.comb += [
            results.asked[number].entry.eq(worker.asked), results.read[number].entry.eq(worker.read),
            worker.asked_valid.eq(results.asked_valid[number]),
            worker.read_word.eq(results.read_word[number]),
            written.valid.eq(worker.stores), written.entry.eq(worker.read),
            written.word.eq(worker.result),
            results.reads[number].eq(worker.leaving & ~worker.computed),
            out.valid.eq(worker.leaving & worker.enable), out.slot.eq(worker.leaving_slot),
            out.computed.eq(worker.computed), out.word.eq(worker.result),
            out.early.eq(~worker.computed & ~results.read_valid[number]),
        ]  # fmt: skip
        for cache_set in range(self._parameters.cache_sets):
            answer, given = worker.answers[cache_set], tags.answers[cache_set]
            m.d.comb += [
                answer.valid.eq(given.valid & (given.pe_set == number)),
                answer.slot.eq(given.slot),
                answer.state.eq(given.state),
                answer.entry.eq(given.entry),
            ]

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
