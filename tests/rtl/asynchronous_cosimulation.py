"""The asynchronous circuit on layers that it signs, or whose Hitmaps are saved."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from circuit_bench import simulation
from circuit_scopes import Scope
from cosimulation import flat, hitmap
from oracle.stepper import deal

from mercuric.rtl.asynchronous_array import AsynchronousArray
from mercuric.rtl.parameters import Parameters
from mercuric.similarity.hitmap import HitState

PATIENCE = 5_000
Rows = tuple[list[int], list[int]]
"""States and representatives of a scope."""


@dataclass
class Simulated:
    """What the circuit did.

    Attributes:
        rows: of the Hitmap as they were answered, for each scope: vector, state and entry.
        outputs: (scopes x filters, vectors).
        early: HITs that left before the result they read was there, as (scope x filter, vector).
        cycles: until the last result left.
    """

    rows: list[list[tuple[int, int, int]]]
    outputs: list[list[int | None]]
    early: set[tuple[int, int]]
    cycles: int

    def hitmaps(self) -> list[Rows]:
        """States and representatives of each scope."""
        return [hitmap({vector: row for vector, *row in rows}) for rows in self.rows]


def entry_ids(states: list[int], representatives: list[int]) -> list[int]:
    """An entry for each vector that is inserted, in their order; 0 where there is none."""
    inserted = [vector for vector, state in enumerate(states) if state == HitState.MAU]
    return [
        0 if state == HitState.MNU else inserted.index(r)
        for state, r in zip(states, representatives, strict=True)
    ]


class _Layer:
    """A layer on its way through the circuit.

    Args:
        dut: the circuit.
        one: its sizes.
        buffers: its input buffers.
        scopes: of the layer.
        hitmaps: saved ones; None: scopes are signed.
    """

    def __init__(
        self,
        dut: AsynchronousArray,
        one: Parameters,
        buffers: int,
        scopes: list[Scope],
        hitmaps: list[Rows] | None,
    ) -> None:
        self._dut, self._one, self._buffers = dut, one, buffers
        self._scopes, self._hitmaps, self._filters = scopes, hitmaps, scopes[0].filters
        vectors = len(scopes[0].vectors)
        self._blocks = [list(block) for block in deal(range(vectors), one.sets)]
        outputs: list[list[int | None]] = [[None] * vectors for _ in scopes for _ in self._filters]
        self.done = Simulated([[] for _ in scopes], outputs, set(), 0)
        self._taken, self._left = 0, [0] * one.sets
        self._answered = [Counter[int]() for _ in range(one.sets)]

    async def run(self, ctx) -> None:
        """All scopes, whose vectors are written as soon as an input buffer is empty."""
        dut, last = self._dut, len(self._scopes)
        await self._prepare(ctx)
        filled = [0] * self._one.sets
        wanted = [number for number, block in enumerate(self._blocks) if block]
        for scope in range(min(self._buffers, last)):
            for number in wanted:
                await self._fill(ctx, scope, number)
                filled[number] += 1
        before = ctx.get(dut.cycles)
        ctx.set(dut.filter_valid, 1)
        ctx.set(dut.start, 1)
        await self._tick(ctx)
        ctx.set(dut.start, 0)
        for _ in range(PATIENCE):
            behind = [number for number in wanted if filled[number] < last]
            full = {number: ctx.get(dut.full[number]) for number in behind}
            empty = [number for number in behind if not full[number] >> filled[number] % self._buffers & 1]
            if empty:
                await self._fill(ctx, filled[empty[0]], empty[0])
                filled[empty[0]] += 1
            else:
                await self._tick(ctx)
            if not ctx.get(dut.busy):
                break
        self.done.cycles = ctx.get(dut.cycles) - before

    async def _prepare(self, ctx) -> None:
        dut = self._dut
        ctx.set(dut.filters, len(self._filters))
        ctx.set(dut.signs, self._hitmaps is None)
        ctx.set(dut.tasks, len(self._scopes) * len(self._filters))
        for number, block in enumerate(self._blocks):
            ctx.set(dut.lengths[number], len(block))
        if self._hitmaps is None:
            ctx.set(dut.random_write, 1)
            for number, window in enumerate(self._scopes[0].random_filters):
                ctx.set(dut.random_number, number)
                ctx.set(dut.random_filter, flat(window))
                await ctx.tick()
            ctx.set(dut.random_write, 0)

    async def _fill(self, ctx, scope: int, number: int) -> None:
        dut, buffer = self._dut, scope % self._buffers
        ctx.set(dut.write_set, number)
        for place, vector in enumerate(self._blocks[number]):
            ctx.set(dut.write_slot, buffer * self._one.block + place)
            ctx.set(dut.write, 1)
            if self._hitmaps is not None:
                states, representatives = self._hitmaps[scope]
                ctx.set(dut.row_write, 1)
                ctx.set(dut.row_state, states[vector])
                ctx.set(dut.row_entry, entry_ids(states, representatives)[vector])
            for column in range(self._one.kernel_columns):
                ctx.set(dut.write_column, column)
                ctx.set(dut.write_words, [row[column] for row in self._scopes[scope].vectors[vector]])
                await self._tick(ctx)
        ctx.set(dut.write, 0)
        ctx.set(dut.row_write, 0)
        ctx.set(dut.fill, 1 << buffer)
        await self._tick(ctx)
        ctx.set(dut.fill, 0)

    async def _tick(self, ctx) -> None:
        dut = self._dut
        if self._hitmaps is None:
            for answer in dut.answers:
                if ctx.get(answer.valid):
                    self._note(ctx.get(answer))
        ctx.set(dut.filter, flat(self._filters[self._taken % len(self._filters)]))
        for number, block in enumerate(self._blocks):
            results = dut.results[number]
            if ctx.get(results.valid):
                task, place = divmod(self._left[number], len(block))
                self._left[number] += 1
                self.done.outputs[task][block[place]] = ctx.get(results.word)
                if ctx.get(results.early):
                    self.done.early.add((task, block[place]))
        self._taken += ctx.get(dut.filter_take)
        await ctx.tick()

    def _note(self, answer) -> None:
        number, (buffer, place) = answer.pe_set, divmod(answer.slot, self._one.block)
        scope = buffer + self._buffers * self._answered[number][answer.slot]
        self._answered[number][answer.slot] += 1
        self.done.rows[scope].append((self._blocks[number][place], answer.state, answer.entry))


def simulate(
    one: Parameters,
    buffers: int,
    layers: Sequence[tuple[list[Scope], list[Rows] | None]],
) -> list[Simulated]:
    """Layers, one after the other on the same circuit.

    Args:
        one: sizes and options.
        buffers: input buffers.
        layers: scopes of each, and saved Hitmaps; None: the circuit signs them.
    """
    circuit = simulation(AsynchronousArray, one, buffers)
    under_way = [_Layer(circuit.circuit, one, buffers, scopes, hitmaps) for scopes, hitmaps in layers]

    async def bench(ctx) -> None:
        for layer in under_way:
            await layer.run(ctx)

    circuit.run(bench)
    return [layer.done for layer in under_way]
