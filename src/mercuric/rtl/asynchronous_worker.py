"""What is a PE set that goes on by itself? Input buffers, InUse and FIUse (paper III-C1, Fig. 11)."""

from amaranth import Array, EnableInserter, Module, Mux, Signal
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.hitmap import Hitmap, row_layout
from mercuric.rtl.mcache_tags import request_layout
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.pe_set import PESet
from mercuric.rtl.ports import loads, window_layout, worker_ports
from mercuric.rtl.signature_sender import SignatureSender
from mercuric.rtl.task_order import TaskOrder
from mercuric.rtl.turns import Turns


class AsynchronousWorker(Component):
    """A PE set with several input buffers, each with a valid bit, and a part of the Hitmap for each.

    Unless ``enable`` the result that would leave stays, and the PEs stand still; a signature bit needs no
    port and never stays. Vectors are written, the Hitmap is filled and signatures are brought all the same.

    Args:
        parameters: sizes and options.
        buffers: input buffers.
    """

    def __init__(self, parameters: Parameters, buffers: int) -> None:
        one, version, slots = parameters, range(parameters.versions), buffers * parameters.block
        self._parameters, self._buffers = one, buffers
        window = window_layout(one)
        super().__init__(
            {
                **worker_ports(one, buffers), "row": In(row_layout(one, buffers)), "fill": In(buffers),
                "full": Out(buffers), "reset": In(1), "busy": In(1), "signs": In(1), "filters": In(16),
                "load": In(one.versions), "windows": In(ArrayLayout(window, one.versions)),
                "bit": Out(range(one.bits)), "random": In(window),
                "request": Out(request_layout(one, slots)), "accepted": In(1), "hitmap_complete": In(1),
                "asked_version": Out(version), "read_version": Out(version), "finished": Out(1),
            }
        )  # fmt: skip

    def elaborate(self, _platform: object) -> Module:
        """PE set, turns and Hitmap, and what says where they are."""
        one, m = self._parameters, Module()
        pes, turns, order = (
            PESet(one, self._buffers),
            Turns(one, self._buffers),
            TaskOrder(one, self._buffers),
        )
        hitmap = Hitmap(one, self._buffers)
        m.submodules.pe_set, m.submodules.turns = pes, EnableInserter(self.enable)(turns)
        m.submodules.hitmap = hitmap
        m.submodules.task_order = order
        filter_ = Array(self.windows[version] for version in range(one.versions))[order.fi_use]
        overlap = Mux(order.signing, one.overlapped_signatures, one.overlapped_products)
        m.d.comb += [
            *loads(pes, self), pes.enable.eq(self.enable),
            pes.weights.eq(Mux(order.signing, self.random.as_value(), filter_)),
            pes.overlap.eq(overlap), pes.start.eq(turns.start), pes.slot.eq(turns.slot),
            turns.restart.eq(order.restart), turns.length.eq(self.length), turns.dense.eq(order.signing),
            turns.overlap.eq(order.overlap), turns.free.eq(pes.free),
            turns.multiplying.eq(pes.multiplying), turns.leaves.eq(pes.leaves),
            turns.state.eq(hitmap.state), turns.entry.eq(hitmap.entry), turns.valid.eq(self.asked_valid),
            turns.buffer.eq(order.in_use), turns.version.eq(order.fi_use), hitmap.slot.eq(turns.slot),
            self.asked.eq(hitmap.entry), self.asked_version.eq(order.fi_use), self.bit.eq(order.bit),
            self.read.eq(turns.leaving_entry), self.read_version.eq(turns.leaving_version),
            self.stores.eq(turns.stores), self.leaving.eq(turns.leaving & ~turns.leaving_dense),
            self.computed.eq(turns.computed),
            self.finished.eq(self.leaving & turns.last & self.enable),
            self.leaving_slot.eq(turns.leaving_slot),
            self.result.eq(Mux(turns.computed, pes.sum, self.read_word)),
        ]  # fmt: skip
        self._order(m, order, turns)
        self._sign(m, turns, hitmap, pes.sum[-1])
        return m

    def _order(self, m: Module, order: TaskOrder, turns: Turns) -> None:
        m.d.comb += [
            order.reset.eq(self.reset), order.busy.eq(self.busy), order.signs.eq(self.signs),
            order.length.eq(self.length), order.filters.eq(self.filters), order.fill.eq(self.fill),
            order.load.eq(self.load), order.complete.eq(self.hitmap_complete),
            order.issued.eq(turns.issued & self.enable), order.left.eq(self.finished),
            self.full.eq(order.full),
        ]  # fmt: skip

    def _sign(self, m: Module, turns: Turns, hitmap: Hitmap, negative: Signal) -> None:
        """Signature bits to the MCACHE; its answers to the Hitmap, or the rows of a saved one."""
        m.submodules.signatures = signatures = SignatureSender(self._parameters, self._buffers)
        m.d.comb += [
            signatures.reset.eq(self.reset), signatures.length.eq(self.length),
            signatures.shift.eq(turns.leaving & turns.leaving_dense), signatures.slot.eq(turns.leaving_slot),
            signatures.negative.eq(negative), signatures.last.eq(turns.last),
            signatures.accepted.eq(self.accepted), signatures.complete.eq(self.hitmap_complete),
            self.request.eq(signatures.request), hitmap.answers.eq(self.answers),
            self.granted.eq(hitmap.granted),
        ]  # fmt: skip
        with m.If(self.row.valid):
            m.d.comb += hitmap.answers[0].eq(self.row)
