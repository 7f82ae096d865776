"""The asynchronous circuit on the scopes of a layer, with saved Hitmaps."""

from dataclasses import dataclass

from circuit_bench import run
from circuit_scopes import Scope
from oracle.stepper import deal

from mercuric.rtl.asynchronous_array import AsynchronousArray
from mercuric.rtl.parameters import Parameters
from mercuric.similarity.hitmap import HitState

PATIENCE = 5_000


@dataclass
class Simulated:
    """What the circuit did.

    Attributes:
        outputs: (scopes x filters, vectors).
        early: HITs that left before the result they read was there, as (scope x filter, vector).
        cycles: until the last result left.
    """

    outputs: list[list[int | None]]
    early: set[tuple[int, int]]
    cycles: int


def entry_ids(states: list[int], representatives: list[int]) -> list[int]:
    """An entry for each vector that is inserted, in their order; 0 where there is none."""
    inserted = [vector for vector, state in enumerate(states) if state == HitState.MAU]
    return [
        0 if state == HitState.MNU else inserted.index(r)
        for state, r in zip(states, representatives, strict=True)
    ]


def simulate(
    one: Parameters, buffers: int, scopes: list[Scope], hitmaps: list[tuple[list[int], list[int]]]
) -> Simulated:
    """All scopes, whose vectors are written as soon as an input buffer is empty."""
    dut, filters = AsynchronousArray(one, buffers), scopes[0].filters
    blocks = deal(range(len(scopes[0].vectors)), one.sets)
    outputs: list[list[int | None]] = [[None] * len(scopes[0].vectors) for _ in scopes for _ in filters]
    done = Simulated(outputs, set(), 0)

    async def fill(ctx, scope: int, number: int) -> None:
        states, representatives = hitmaps[scope]
        entries = entry_ids(states, representatives)
        ctx.set(dut.write_set, number)
        for place, vector in enumerate(blocks[number]):
            ctx.set(dut.write_slot, scope % buffers * one.block + place)
            ctx.set(dut.write, 1)
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

    async def tick(ctx) -> None:
        nonlocal taken
        ctx.set(dut.filter, [word for row in filters[taken % len(filters)] for word in row])
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
        ctx.set(dut.tasks, len(scopes) * len(filters))
        for number, block in enumerate(blocks):
            ctx.set(dut.lengths[number], len(block))
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
        done.cycles = ctx.get(dut.product_cycles)

    run(dut, bench)
    return done
