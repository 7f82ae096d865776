"""What does a test bench do with a circuit, and what must come of it? Round by round, by the simulator."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mercuric.rtl.arrival import arrived, entries, in_step
from mercuric.rtl.asynchronous_cycles import saved_cycles, signed_cycles
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.stimulus import Integers, Stimulus, words

Load = dict[str, int]
"""What is put on ports in a cycle; on the others that are loaded there is 0."""
Result = tuple[int, int]
"""The slot that a result is of, and its word."""


@dataclass(frozen=True)
class Script:
    """A layer on its way through a circuit.

    In each round its loads are put on the ports, a cycle each; then the circuit is started, gets filters as
    it takes them, and works until it isn't busy any more.

    Attributes:
        held: of ports that are not loaded, expressions in Verilog, in which ``round`` counts from 0.
        loads: of each round.
        windows: (windows, rows, columns): filters that are taken, one after the other, over and over.
        takes: filters that are taken in a round.
        results: of each PE set, as they leave it in all rounds.
        states: (rounds, PE sets, slots): of the Hitmaps that the circuit makes.
        answers: how many of them are vectors'.
        counted: what the circuit must have counted when a round ends: the round, an expression, cycles.
    """

    held: dict[str, str]
    loads: Sequence[Sequence[Load]]
    windows: Integers
    takes: int
    results: Sequence[Sequence[Result]]
    states: Integers
    answers: int
    counted: Sequence[tuple[int, str, int]]


def synchronous_script(circuit: Parameters, stimulus: Stimulus, reuse: bool) -> Script:
    """A round for each scope.

    Args:
        circuit: sizes and options.
        stimulus: the layer.
        reuse: whether the circuit has any of MERCURY.
    """
    shape, last = stimulus.shape, stimulus.shape.scopes - 1
    hitmap = stimulus.hitmap(circuit)[0] if reuse else None
    states = np.zeros((0, circuit.sets, circuit.block), np.int64)
    if hitmap:
        states = _by_slot(circuit, stimulus, hitmap.states.numpy())
    windows = np.concatenate([stimulus.random_filters[: circuit.bits if reuse else 0], stimulus.filters])
    signature, rest = stimulus.cycles(circuit, reuse)
    counted = [(last, "product_cycles", rest)]
    if reuse:
        counted = [(last, "signature_cycles", signature), (last, "queue_cycles + product_cycles", rest)]
    return Script(
        held={"lengths": _lengths(circuit, stimulus), "filters": str(shape.filters)},
        loads=[list(_vectors(circuit, stimulus, scope)) for scope in range(shape.scopes)],
        windows=windows,
        takes=len(windows),
        results=_results(circuit, stimulus, [stimulus.outputs(circuit, hitmap)], 0),
        states=states,
        answers=shape.scopes * shape.vectors if reuse else 0,
        counted=counted,
    )


def asynchronous_script(circuit: Parameters, stimulus: Stimulus, buffers: int) -> Script:
    """A round in which the circuit signs, and one in which it is given the Hitmap of PE sets in step.

    Args:
        circuit: sizes and options.
        stimulus: the layer.
        buffers: input buffers of a PE set, at least one for each scope: all are loaded at first.
    """
    shape, signatures = stimulus.shape, stimulus.signatures()
    order, cache_sets = in_step(circuit, shape.vectors), signatures % circuit.cache_sets
    signed, _, signed_in = signed_cycles(circuit, shape, signatures)
    saved = arrived(circuit, signatures, order)
    saved_in = saved_cycles(circuit, shape, saved, order)
    rows = [
        _by_slot(circuit, stimulus, one)
        for one in (saved.states.numpy(), entries(circuit, saved, cache_sets, order))
    ]
    states = np.zeros((1, circuit.sets, buffers, circuit.block), np.int64)
    states[0, :, : shape.scopes] = _by_slot(circuit, stimulus, signed.states.numpy()).swapaxes(0, 1)
    outputs = [stimulus.outputs(circuit, hitmap) for hitmap in (signed, saved)]
    tasks = shape.scopes * shape.filters
    return Script(
        held={
            "lengths": _lengths(circuit, stimulus), "filters": str(shape.filters), "tasks": str(tasks),
            "signs": "round == 0",
        },
        loads=[
            [*_random_filters(circuit, stimulus), *_buffers(circuit, stimulus)],
            list(_buffers(circuit, stimulus, rows)),
        ],
        windows=stimulus.filters,
        takes=tasks,
        results=_results(circuit, stimulus, outputs, circuit.block),
        states=states.reshape(1, circuit.sets, -1),
        answers=signatures.numel(),
        counted=[(0, "cycles", signed_in), (1, "cycles", signed_in + saved_in)],
    )  # fmt: skip


def literal(value: int, bits: int) -> str:
    """A number in Verilog."""
    return f"{bits}'h{value:x}"


def _lengths(circuit: Parameters, stimulus: Stimulus) -> str:
    bits = circuit.block.bit_length()
    return literal(words([len(block) for block in stimulus.slots(circuit)], bits), bits * circuit.sets)


def _vectors(circuit: Parameters, stimulus: Stimulus, scope: int) -> Iterator[Load]:
    """A scope's vectors, a column of a window in a cycle."""
    for pe_set, block in enumerate(stimulus.slots(circuit)):
        for slot, vector in enumerate(block):
            for column in range(circuit.kernel_columns):
                given = words(stimulus.vectors[scope, vector, :, column], circuit.word_bits)
                yield {
                    "write": 1, "write_set": pe_set, "write_slot": slot, "write_column": column,
                    "write_words": given,
                }  # fmt: skip


def _random_filters(circuit: Parameters, stimulus: Stimulus) -> Iterator[Load]:
    for number, window in enumerate(stimulus.random_filters):
        given = words(window.ravel(), circuit.word_bits)
        yield {"random_write": 1, "random_number": number, "random_filter": given}


def _buffers(circuit: Parameters, stimulus: Stimulus, rows: Sequence[Integers] = ()) -> Iterator[Load]:
    """All scopes into their input buffers; ``rows``, (scopes, PE sets, slots): states and entries."""
    for scope in range(len(stimulus.vectors)):
        for load in _vectors(circuit, stimulus, scope):
            row = {}
            if rows:
                state, entry = (int(one[scope, load["write_set"], load["write_slot"]]) for one in rows)
                row = {"row_write": 1, "row_state": state, "row_entry": entry}
            yield {**load, **row, "write_slot": scope * circuit.block + load["write_slot"]}
        for pe_set, block in enumerate(stimulus.slots(circuit)):
            if block:
                yield {"write_set": pe_set, "fill": 1 << scope}


def _results(
    circuit: Parameters, stimulus: Stimulus, outputs: Sequence[Integers], apart: int
) -> list[list[Result]]:
    """Each PE set's, scope by scope and filter by filter; slots of two scopes are ``apart``."""
    return [
        [
            (scope * apart + slot, int(words_[vector]))
            for one in outputs
            for scope, filters in enumerate(one)
            for words_ in filters
            for slot, vector in enumerate(block)
        ]
        for block in stimulus.slots(circuit)
    ]


def _by_slot(circuit: Parameters, stimulus: Stimulus, values: Integers) -> Integers:
    """What vectors have, (scopes, vectors), as (scopes, PE sets, slots); 0 where no vector is."""
    found = np.zeros((len(values), circuit.sets, circuit.block), np.int64)
    for pe_set, block in enumerate(stimulus.slots(circuit)):
        found[:, pe_set, : len(block)] = values[:, block]
    return found
