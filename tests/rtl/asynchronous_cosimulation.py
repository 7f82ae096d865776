"""The asynchronous circuit on the scopes of a layer, which it signs, or with saved Hitmaps."""

from collections import Counter
from dataclasses import dataclass

from circuit_bench import run
from circuit_scopes import Scope
from cosimulation import flat, hitmap
from oracle.stepper import deal

from mercuric.rtl.asynchronous_array import AsynchronousArray
from mercuric.rtl.parameters import Parameters
from mercuric.similarity.hitmap import HitState

PATIENCE = 5_000


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

    def hitmaps(self) -> list[tuple[list[int], list[int]]]:
        """States and representatives of each scope."""
        return [hitmap({vector: row for vector, *row in rows}) for rows in self.rows]


def entry_ids(states: list[int], representatives: list[int]) -> list[int]:
    """An entry for each vector that is inserted, in their order; 0 where there is none."""
    inserted = [vector for vector, state in enumerate(states) if state == HitState.MAU]
    return [
        0 if state == HitState.MNU else inserted.index(r)
        for state, r in zip(states, representatives, strict=True)
    ]


def simulate(
    one: Parameters,
    buffers: int,
    scopes: list[Scope],
    hitmaps: list[tuple[list[int], list[int]]] | None = None,
    together: int = 1,
) -> Simulated:
    """All scopes, whose vectors are written as soon as an input buffer is empty.

    ``hitmaps`` are saved ones; None: scopes are signed, with tags for ``together`` of them at a time.
    """
    dut, filters = AsynchronousArray(one, buffers, together), scopes[0].filters
    blocks = deal(range(len(scopes[0].vectors)), one.sets)
    outputs: list[list[int | None]] = [[None] * len(scopes[0].vectors) for _ in scopes for _ in filters]
    done = Simulated([[] for _ in scopes], outputs, set(), 0)

    async def write_random_filters(ctx) -> None:
        ctx.set(dut.random_write, 1)
        for number, window in enumerate(scopes[0].random_filters):
            ctx.set(dut.random_number, number)
            ctx.set(dut.random_filter, flat(window))
            await ctx.tick()
        ctx.set(dut.random_write, 0)

    async def fill(ctx, scope: int, number: int) -> None:
        if hitmaps is not None:
            states, representatives = hitmaps[scope]
            entries = entry_ids(states, representatives)
        ctx.set(dut.write_set, number)
        for place, vector in enumerate(blocks[number]):
            ctx.set(dut.write_slot, scope % buffers * one.block + place)
            ctx.set(dut.write, 1)
            if hitmaps is not None:
                ctx.set(dut.row_write, 1)
                ctx.set(dut.row_state, states[vector])
                ctx.set(dut.row_entry, entries[vector])
            for column in range(one.kernel_columns):
                ctx.set(dut.write_column, column)
                ctx.set(dut.write_words, [row[column] for row in scopes[scope].vectors[vector]])
                await tick(ctx)
        ctx.set(dut.write, 0)
        ctx.set(dut.row_write, 0)
        ctx.set(dut.fill, 1 << scope % buffers)
        await tick(ctx)
        ctx.set(dut.fill, 0)

    taken, left = 0, [0] * one.sets
    answered = [Counter[int]() for _ in range(one.sets)]

    def note(answer) -> None:
        number, (buffer, place) = answer.pe_set, divmod(answer.slot, one.block)
        scope = buffer + buffers * answered[number][answer.slot]
        answered[number][answer.slot] += 1
        done.rows[scope].append((list(blocks[number])[place], answer.state, answer.entry))

    async def tick(ctx) -> None:
        nonlocal taken
        for answer in dut.answers:
            if ctx.get(answer.valid):
                note(ctx.get(answer))
        ctx.set(dut.filter, flat(filters[taken % len(filters)]))
        for number, block in enumerate(blocks):
            results = dut.results[number]
            if ctx.get(results.valid):
                task, place = divmod(left[number], len(block))
                vector, left[number] = list(block)[place], left[number] + 1
                outputs[task][vector] = ctx.get(results.word)
                if ctx.get(results.early):
                    done.early.add((task, vector))
        taken += ctx.get(dut.filter_take)
        await ctx.tick()

    async def bench(ctx) -> None:
        ctx.set(dut.filters, len(filters))
        ctx.set(dut.signs, hitmaps is None)
        ctx.set(dut.tasks, len(scopes) * len(filters))
        for number, block in enumerate(blocks):
            ctx.set(dut.lengths[number], len(block))
        await write_random_filters(ctx)
        filled = [0] * one.sets
        wanted = [number for number, block in enumerate(blocks) if block]
        for scope in range(min(buffers, len(scopes))):
            for number in wanted:
                await fill(ctx, scope, number)
                filled[number] += 1
        ctx.set(dut.filter_valid, 1)
        ctx.set(dut.start, 1)
        await tick(ctx)
        ctx.set(dut.start, 0)
        for _ in range(PATIENCE):
            behind = [number for number in wanted if filled[number] < len(scopes)]
            full = {number: ctx.get(dut.full[number]) for number in behind}
            empty = [number for number in behind if not full[number] >> filled[number] % buffers & 1]
            if empty:
                await fill(ctx, filled[empty[0]], empty[0])
                filled[empty[0]] += 1
            else:
                await tick(ctx)
            if not ctx.get(dut.busy):
                break
        done.cycles = ctx.get(dut.cycles)

    run(dut, bench)
    return done
