"""How do PEs make one dot product together, and one after the other? (paper III-B2, Figs. 7 and 8)"""

from itertools import pairwise

from amaranth import Array, Cat, EnableInserter, Module, Mux, Signal, Value, signed
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from mercuric.rtl.overlapped_element import OverlappedElement
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.plain_element import PlainElement
from mercuric.rtl.ports import load_ports, window_layout


class PESet(Component):
    """A PE for each row of the window, with the rows of a block of input vectors in its input buffer.

    Where dot products overlap, each PE takes its row one cycle after the PE above; else all start at once.
    ``start`` may be set while ``free``: the first elements are multiplied in the same cycle. ``multiplying``
    says that more will be in the next one. In the cycle in which a result ``leaves``, ``sum`` is it. Unless
    ``enable`` nothing moves but the input buffers, which are written.

    Args:
        parameters: sizes and options.
        buffers: blocks that the input buffers have room for; two in the asynchronous design (Fig. 11).
    """

    def __init__(self, parameters: Parameters, buffers: int = 1) -> None:
        one, slots = parameters, range(buffers * parameters.block)
        super().__init__(
            {
                **load_ports(one, slots), "enable": In(1, init=1), "start": In(1), "slot": In(slots),
                "overlap": In(1), "weights": In(window_layout(one)), "free": Out(1), "multiplying": Out(1),
                "leaves": Out(1), "sum": Out(signed(one.word_bits)),
            }
        )  # fmt: skip
        self._parameters, self._slots = parameters, slots

    def elaborate(self, _platform: object) -> Module:
        """The first PE's place in its row, and the PEs, each fed from above."""
        one, m = self._parameters, Module()
        begun, slot = Signal(), Signal.like(self.slot)  # a row that is being multiplied
        column, now = Signal(range(one.kernel_columns)), Signal(range(one.kernel_columns))
        unfinished = Signal()  # a dot product that must leave before the next starts
        multiply, last = Signal(), Signal()
        m.d.comb += [
            self.free.eq(~begun & (self.overlap | ~unfinished)),
            multiply.eq(self.start | begun),
            now.eq(Mux(begun, column, 0)),
            last.eq(now == one.kernel_columns - 1),
            self.multiplying.eq(multiply & ~last),
        ]
        with m.If(self.enable):
            m.d.sync += [
                begun.eq(self.multiplying), column.eq(now + 1),
                unfinished.eq((unfinished | self.start) & ~self.leaves & ~self.overlap),
            ]  # fmt: skip
            with m.If(self.start):
                m.d.sync += slot.eq(self.slot)
        first = [multiply, ~begun, last, Cat(now, Mux(begun, slot, self.slot))]
        self._wire(m, first, now)
        return m

    def _wire(self, m: Module, first: list[Value], column: Signal) -> None:
        """Every PE gets what the first one gets, row by row a cycle later where dot products overlap."""
        one, delayed = self._parameters, first
        elements = [self._element(row == 0) for row in range(one.kernel_rows)]
        for row, element in enumerate(elements):
            m.submodules[f"pe_{row}"] = EnableInserter(self.enable)(element)
            weight = Signal(signed(one.word_bits), name=f"weight_{row}")
            weights = Array(
                self.weights[row * one.kernel_columns + each] for each in range(one.kernel_columns)
            )
            m.d.comb += weight.eq(weights[column])
            step, delayed = delayed, []
            for name, value in zip(("multiply", "first", "last", "place"), step, strict=True):
                held = Signal(len(value), name=f"{name}_above_{row + 1}")
                with m.If(self.enable):
                    m.d.sync += held.eq(value)
                delayed.append(Mux(self.overlap, held, value))
            multiply, begins, ends, place = step
            words = self._input_buffer(m, row, place)
            m.d.comb += [
                element.multiply.eq(multiply), element.first.eq(begins), element.last.eq(ends),
                element.element.eq(words), element.overlap.eq(self.overlap),
                element.weight.eq(self._skewed(m, weight, row)),
            ]  # fmt: skip
        for above, below in pairwise(elements):
            m.d.comb += [below.above.eq(above.total), below.above_passed.eq(above.passed)]
        m.d.comb += [self.leaves.eq(elements[-1].passes), self.sum.eq(elements[-1].sum)]

    def _element(self, top: bool) -> PlainElement | OverlappedElement:
        kind = OverlappedElement if self._parameters.overlaps else PlainElement
        return kind(self._parameters.word_bits, top=top, mac_unit=self._parameters.mac_unit)

    def _skewed(self, m: Module, weight: Signal, row: int) -> Signal:
        """The weight as many cycles later as there are PEs above, where dot products overlap."""
        late = weight
        for stage in range(row):
            name = f"weight_{row}_late_{stage + 1}"
            held = Signal(signed(self._parameters.word_bits), name=name, reset_less=True)
            with m.If(self.enable):
                m.d.sync += held.eq(late)
            late = held
        return Mux(self.overlap, late, weight)

    def _input_buffer(self, m: Module, row: int, place: Value) -> Signal:
        """The element that a PE multiplies; a slot's columns begin where a multiplier isn't needed."""
        depth = len(self._slots) << len(self.write_column)
        buffer = Memory(shape=signed(self._parameters.word_bits), depth=depth, init=[])
        m.submodules[f"input_buffer_{row}"] = buffer
        read, write = buffer.read_port(domain="comb"), buffer.write_port()
        m.d.comb += [
            read.addr.eq(place),
            write.addr.eq(Cat(self.write_column, self.write_slot)),
            write.data.eq(self.write_words[row]),
            write.en.eq(self.write),
        ]
        return read.data
