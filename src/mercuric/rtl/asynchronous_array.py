"""What is MERCURY's array in the asynchronous design? All of it (paper III-C1, III-C2, Fig. 11)."""

from functools import reduce
from operator import or_

from amaranth import Cat, Module
from amaranth.lib.data import ArrayLayout
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
from mercuric.rtl.ports import answers, array_ports, loads, result_layout, reuse, window_layout
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
        one, slots = parameters, range(buffers * parameters.block)
        self._parameters, self._buffers = one, buffers
        self.answer_layout = answer_layout(one, len(slots))
        self.result_layout = result_layout(one, slots, computed=1, early=1)
        super().__init__(
            {
                **array_ports(one, slots, self.result_layout),
                "row_write": In(1), "row_state": In(ROW_STATE), "row_entry": In(range(one.entries)),
                "fill": In(buffers), "full": Out(ArrayLayout(buffers, one.sets)),
                "random_write": In(1), "random_number": In(range(one.bits)),
                "random_filter": In(window_layout(one)), "signs": In(1), "tasks": In(COUNTER_BITS),
                "answers": Out(ArrayLayout(self.answer_layout, one.cache_sets)), "cycles": Out(COUNTER_BITS),
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
            finished = busy_map.finished[number]
            m.d.comb += [
                *answers(worker, number, tags), *reuse(worker, number, results, self.results[number]),
                worker.enable.eq(results.granted[number]),
                results.asked[number].version.eq(worker.asked_version),
                results.read[number].version.eq(worker.read_version),
                results.written[number].version.eq(worker.read_version),
                finished.valid.eq(worker.finished), finished.version.eq(worker.read_version),
                tags.requests[number].eq(worker.request), worker.accepted.eq(tags.accepted[number]),
                worker.hitmap_complete.eq(count.complete), random_filters.read[number].eq(worker.bit),
                worker.random.eq(random_filters.windows[number]),
            ]  # fmt: skip
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
        rows = zip(self.answers, tags.answers, count.answered, tags.granted, strict=True)
        for answer, given, answered, granted in rows:
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
            *loads(worker, self, named),
            worker.row.valid.eq(self.row_write & named), worker.row.slot.eq(self.write_slot),
            worker.row.state.eq(self.row_state), worker.row.entry.eq(self.row_entry),
            self.full[number].eq(worker.full), worker.reset.eq(controller.reset),
            worker.busy.eq(controller.busy), worker.signs.eq(self.signs),
            worker.length.eq(self.lengths[number]), worker.filters.eq(self.filters),
            worker.load.eq(controller.load), worker.windows.eq(filters.windows),
        ]  # fmt: skip
        with m.If(named):
            m.d.comb += worker.fill.eq(self.fill)
