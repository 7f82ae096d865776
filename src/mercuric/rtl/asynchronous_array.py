"""What is MERCURY's array in the asynchronous design? All of it (paper III-C1, III-C2, Fig. 11)."""

from functools import reduce
from operator import or_

from amaranth import Cat, Module, signed
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.asynchronous_controller import AsynchronousController
from mercuric.rtl.asynchronous_worker import AsynchronousWorker
from mercuric.rtl.busy_map import BusyMap
from mercuric.rtl.filter_buffer import FilterBuffer
from mercuric.rtl.hitmap import ROW_STATE
from mercuric.rtl.hitmap_count import HitmapCount
from mercuric.rtl.mcache_results import MCacheResults
from mercuric.rtl.mcache_tags import MCacheTags, answer_layout
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.random_filters import RandomFilters
from mercuric.rtl.synchronous_controller import COUNTER_BITS


class AsynchronousArray(Component):
    """PE sets that never wait for each other but for filter buffers and ports, and a multi-version MCACHE.

    Vectors are written to a PE set's empty input buffer, then ``fill`` says that it is full. After ``start``
    the array takes ``tasks`` filters, one after the other, ``filters`` of them for each input buffer, which
    take turns. Where it ``signs``, it does so with the random filters that were written before, and
    ``answers`` are the rows of the Hitmap as they come; else the rows of a saved one (``row_state``,
    ``row_entry``) are written with the vectors (III-C2).

    Args:
        parameters: sizes and options.
        buffers: input buffers of a PE set; the paper's has two.
    """

    def __init__(self, parameters: Parameters, buffers: int = 2) -> None:
        one, word = parameters, signed(parameters.word_bits)
        slots = range(buffers * one.block)
        self._parameters, self._buffers = one, buffers
        window = ArrayLayout(word, one.kernel_rows * one.kernel_columns)
        self.answer_layout = answer_layout(one, len(slots))
        self.result_layout = StructLayout(
            {"valid": 1, "slot": slots, "computed": 1, "early": 1, "word": word}
        )
        super().__init__(
            {
                "write": In(1), "write_set": In(range(one.sets)), "write_slot": In(slots),
                "write_column": In(range(one.kernel_columns)),
                "write_words": In(ArrayLayout(word, one.kernel_rows)),
                "row_write": In(1), "row_state": In(ROW_STATE), "row_entry": In(range(one.entries)),
                "fill": In(buffers), "full": Out(ArrayLayout(buffers, one.sets)),
                "lengths": In(ArrayLayout(range(one.block + 1), one.sets)),
                "random_write": In(1), "random_number": In(range(one.bits)), "random_filter": In(window),
                "start": In(1), "signs": In(1), "tasks": In(COUNTER_BITS), "filters": In(16),
                "filter_valid": In(1), "filter": In(window), "filter_take": Out(1), "busy": Out(1),
                "answers": Out(ArrayLayout(self.answer_layout, one.cache_sets)),
                "results": Out(ArrayLayout(self.result_layout, one.sets)), "cycles": Out(COUNTER_BITS),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """Everything side by side, and who is connected with whom."""
        one, m = self._parameters, Module()
        m.submodules.controller = controller = AsynchronousController(one)
        m.submodules.busy_map = busy_map = BusyMap(one)
        m.submodules.filter_buffer = filters = FilterBuffer(one)
        m.submodules.mcache_results = results = MCacheResults(one)
        m.submodules.random_filters = random_filters = RandomFilters(one)
        m.submodules.mcache_tags = tags = MCacheTags(one, self._buffers * one.block)
        m.submodules.hitmap_count = count = HitmapCount(one)
        workers = [AsynchronousWorker(one, self._buffers) for _ in range(one.sets)]
        for number, worker in enumerate(workers):
            m.submodules[f"worker_{number}"] = worker
            self._worker(m, number, worker, controller, filters)
            self._mcache(m, number, worker, results)
            self._sign(m, number, worker, tags, count)
            m.d.comb += [
                random_filters.read[number].eq(worker.bit),
                worker.random.eq(random_filters.windows[number]),
            ]
            finished = busy_map.finished[number]
            m.d.comb += [
                finished.valid.eq(worker.finished),
                finished.version.eq(worker.read_version),
            ]
        m.d.comb += [
            controller.start.eq(self.start), controller.tasks.eq(self.tasks), controller.signs.eq(self.signs),
            random_filters.write.eq(self.random_write), random_filters.number.eq(self.random_number),
            random_filters.window.eq(self.random_filter),
            count.reset.eq(controller.reset), count.vectors.eq(sum(self.lengths)),
            tags.clear.eq(count.complete),
            tags.granted.eq(reduce(or_, (worker.granted for worker in workers))),
            controller.filter_valid.eq(self.filter_valid), controller.free.eq(busy_map.free),
            busy_map.load.eq(controller.load),
            busy_map.members.eq(Cat(length != 0 for length in self.lengths)),
            filters.load.eq(controller.load), filters.loaded.eq(self.filter),
            results.invalidate.eq(controller.load), results.enable.eq(1),
            self.filter_take.eq(controller.take),
            self.busy.eq(controller.busy), self.cycles.eq(controller.cycles),
        ]  # fmt: skip
        answers = zip(self.answers, tags.answers, count.answered, tags.granted, strict=True)
        for answer, given, answered, granted in answers:
            m.d.comb += [
                answered.eq(given.valid & granted),
                answer.eq(given),
                answer.valid.eq(answered),
            ]
        return m

    def _worker(
        self,
        m: Module,
        number: int,
        worker: AsynchronousWorker,
        controller: AsynchronousController,
        filters: FilterBuffer,
    ) -> None:
        """A PE set's inputs, and the filters."""
        named = self.write_set == number
        m.d.comb += [
            worker.write.eq(self.write & named), worker.write_slot.eq(self.write_slot),
            worker.write_column.eq(self.write_column), worker.write_words.eq(self.write_words),
            worker.row.valid.eq(self.row_write & named), worker.row.slot.eq(self.write_slot),
            worker.row.state.eq(self.row_state), worker.row.entry.eq(self.row_entry),
            self.full[number].eq(worker.full), worker.reset.eq(controller.reset),
            worker.busy.eq(controller.busy), worker.signs.eq(self.signs),
            worker.length.eq(self.lengths[number]), worker.filters.eq(self.filters),
            worker.load.eq(controller.load), worker.windows.eq(filters.windows),
        ]  # fmt: skip
        with m.If(named):
            m.d.comb += worker.fill.eq(self.fill)

    def _sign(
        self, m: Module, number: int, worker: AsynchronousWorker, tags: MCacheTags, count: HitmapCount
    ) -> None:
        """A PE set's signatures, and the MCACHE's answers."""
        m.d.comb += [
            tags.requests[number].eq(worker.request), worker.accepted.eq(tags.accepted[number]),
            worker.hitmap_complete.eq(count.complete),
        ]  # fmt: skip
        for answer, given in zip(worker.answers, tags.answers, strict=True):
            m.d.comb += [
                answer.valid.eq(given.valid & (given.pe_set == number)), answer.slot.eq(given.slot),
                answer.state.eq(given.state), answer.entry.eq(given.entry),
            ]  # fmt: skip

    def _mcache(self, m: Module, number: int, worker: AsynchronousWorker, results: MCacheResults) -> None:
        """A PE set's ports to the MCACHE, and the array's output."""
        asked, read = results.asked[number], results.read[number]
        written, out = results.written[number], self.results[number]
        m.d.comb += [
            worker.enable.eq(results.granted[number]),
            asked.entry.eq(worker.asked), asked.version.eq(worker.asked_version),
            read.entry.eq(worker.read), read.version.eq(worker.read_version),
            worker.asked_valid.eq(results.asked_valid[number]),
            worker.read_word.eq(results.read_word[number]),
            results.reads[number].eq(worker.leaving & ~worker.computed),
            written.valid.eq(worker.stores), written.entry.eq(worker.read),
            written.version.eq(worker.read_version), written.word.eq(worker.result),
            out.valid.eq(worker.leaving & worker.enable), out.slot.eq(worker.leaving_slot),
            out.computed.eq(worker.computed), out.word.eq(worker.result),
            out.early.eq(~worker.computed & ~results.read_valid[number]),
        ]  # fmt: skip
