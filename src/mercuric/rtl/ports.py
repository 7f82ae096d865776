"""Which ports have arrays alike, which have all that PE sets are in, and how are these connected?"""

from typing import Any

from amaranth import Value, signed
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import In, Member, Out

from mercuric.rtl.hitmap import row_layout
from mercuric.rtl.mcache_results import MCacheResults
from mercuric.rtl.mcache_tags import MCacheTags
from mercuric.rtl.parameters import Parameters

Ports = dict[str, Member]
Connections = list[Any]
"""Statements."""


def window_layout(parameters: Parameters) -> ArrayLayout:
    """The words of a window, row by row."""
    one = parameters
    return ArrayLayout(signed(one.word_bits), one.kernel_rows * one.kernel_columns)


def result_layout(parameters: Parameters, slots: range, **flags: int) -> StructLayout:
    """A result that leaves a PE set, and what is said of it besides."""
    return StructLayout({"valid": 1, "slot": slots, **flags, "word": signed(parameters.word_bits)})


def load_ports(parameters: Parameters, slots: range) -> Ports:
    """A column of a window is written to an input buffer."""
    one = parameters
    return {
        "write": In(1), "write_slot": In(slots), "write_column": In(range(one.kernel_columns)),
        "write_words": In(ArrayLayout(signed(one.word_bits), one.kernel_rows)),
    }  # fmt: skip


def array_ports(parameters: Parameters, slots: range, results: StructLayout) -> Ports:
    """What goes into an array's input buffers, filters as they are taken, and each PE set's results."""
    one = parameters
    return {
        **load_ports(one, slots), "write_set": In(range(one.sets)),
        "lengths": In(ArrayLayout(range(one.block + 1), one.sets)),
        "start": In(1), "filters": In(16), "filter_valid": In(1), "filter": In(window_layout(one)),
        "filter_take": Out(1), "busy": Out(1), "results": Out(ArrayLayout(results, one.sets)),
    }  # fmt: skip


def worker_ports(parameters: Parameters, buffers: int) -> Ports:
    """What a PE set with its turns and its Hitmap has to do with the array: vectors, MCACHE, results.

    It asks for the valid-data bit of one entry, and reads another or writes it. Unless ``enable`` the result
    that leaves stays.
    """
    one, word, entry = parameters, signed(parameters.word_bits), range(parameters.entries)
    slots = range(buffers * one.block)
    return {
        **load_ports(one, slots), "enable": In(1), "length": In(range(one.block + 1)),
        "answers": In(ArrayLayout(row_layout(one, buffers), one.cache_sets)), "granted": Out(one.cache_sets),
        "asked": Out(entry), "asked_valid": In(1), "read": Out(entry), "read_word": In(word),
        "stores": Out(1), "leaving": Out(1), "leaving_slot": Out(slots), "computed": Out(1),
        "result": Out(word),
    }  # fmt: skip


def loads(to: Any, given: Any, named: Value | int = 1) -> Connections:
    """What is written is written to ``to`` as well, if it is ``named``."""
    return [
        to.write.eq(given.write & named), to.write_slot.eq(given.write_slot),
        to.write_column.eq(given.write_column), to.write_words.eq(given.write_words),
    ]  # fmt: skip


def answers(worker: Any, number: int, tags: MCacheTags) -> Connections:
    """What the MCACHE says of the vectors of a PE set."""
    return [
        connection
        for answer, given in zip(worker.answers, tags.answers, strict=True)
        for connection in (
            answer.valid.eq(given.valid & (given.pe_set == number)), answer.slot.eq(given.slot),
            answer.state.eq(given.state), answer.entry.eq(given.entry),
        )
    ]  # fmt: skip


def reuse(worker: Any, number: int, results: MCacheResults, out: Any) -> Connections:
    """A PE set's ports to the results of the MCACHE, and what leaves the array."""
    written = results.written[number]
    return [
        results.asked[number].entry.eq(worker.asked), results.read[number].entry.eq(worker.read),
        results.reads[number].eq(worker.leaving & ~worker.computed),
        worker.asked_valid.eq(results.asked_valid[number]), worker.read_word.eq(results.read_word[number]),
        written.valid.eq(worker.stores), written.entry.eq(worker.read), written.word.eq(worker.result),
        out.valid.eq(worker.leaving & worker.enable), out.slot.eq(worker.leaving_slot),
        out.computed.eq(worker.computed), out.word.eq(worker.result),
        out.early.eq(~worker.computed & ~results.read_valid[number]),
    ]  # fmt: skip
