"""A circuit's whole layers in Amaranth's simulator: what it gives, and in how many cycles."""

from collections.abc import Sequence
from dataclasses import dataclass

from circuit_bench import simulation
from circuit_scopes import Scope, Window
from oracle.stepper import deal

from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.similarity.hitmap import HitState

PATIENCE = 5_000
COUNTERS = "signature_cycles", "queue_cycles", "product_cycles"


@dataclass
class Simulated:
    """What the circuit did with a scope.

    Attributes:
        states: the Hitmap, empty for the baseline.
        representatives: of each vector, by the entries that the Hitmap names.
        outputs: (filters, vectors).
        early: HITs that left before the result they read was there, as (filter, vector).
        signature: cycles of the signatures.
        queue: cycles that queues add.
        product: cycles of the product.
    """

    states: list[int]
    representatives: list[int]
    outputs: list[list[int | None]]
    early: set[tuple[int, int]]
    signature: int
    queue: int
    product: int


def flat(window: Window) -> list[int]:
    return [word for row in window for word in row]


def hitmap(rows: dict[int, tuple[int, int]]) -> tuple[list[int], list[int]]:
    """States and representatives, from states and entry ids."""
    inserted = {entry: vector for vector, (state, entry) in rows.items() if state == HitState.MAU}
    states = [rows[vector][0] for vector in sorted(rows)]
    return states, [
        inserted[entry] if state == HitState.HIT else vector
        for vector, (state, entry) in sorted(rows.items())
    ]


def simulate(
    one: Parameters,
    scopes: list[Scope],
    kind: type[SynchronousArray | BaselineArray] = SynchronousArray,
    absent: Sequence[bool] = (False,),
) -> list[Simulated]:
    """All scopes, one after the other; the baseline has no use for random filters.

    ``absent`` says of the cycles, over and over, in which the next filter has not come.
    """
    circuit, done = simulation(kind, one), []
    dut = circuit.circuit
    reuses = kind is SynchronousArray

    async def load(ctx, blocks) -> None:
        ctx.set(dut.write, 1)
        for number, block in enumerate(blocks):
            ctx.set(dut.lengths[number], len(block))
            ctx.set(dut.write_set, number)
            for slot, vector in enumerate(block.values()):
                ctx.set(dut.write_slot, slot)
                for column in range(one.kernel_columns):
                    ctx.set(dut.write_column, column)
                    ctx.set(dut.write_words, [row[column] for row in vector])
                    await ctx.tick()
        ctx.set(dut.write, 0)

    async def work(ctx, scope: Scope, blocks) -> Simulated:
        counters = [getattr(dut, name) for name in COUNTERS if hasattr(dut, name)]
        before = [ctx.get(counter) for counter in counters]
        numbers, random_filters = [list(block) for block in blocks], scope.random_filters if reuses else []
        windows, rows = [*random_filters, *scope.filters], {}
        left = [dict.fromkeys(number, 0) for number in numbers]  # filters that each vector has a result of
        outputs: list[list[int | None]] = [[None] * len(scope.vectors) for _ in scope.filters]
        early, taken = set(), 0
        ctx.set(dut.filters, len(scope.filters))
        for cycle in range(PATIENCE):
            ctx.set(dut.start, taken == 0)
            ctx.set(dut.filter_valid, taken < len(windows) and not absent[cycle % len(absent)])
            if taken < len(windows):
                ctx.set(dut.filter, flat(windows[taken]))
            for results, number, filters in zip(dut.results, numbers, left, strict=True):
                if ctx.get(results.valid):
                    vector = number[ctx.get(results.slot)]
                    current = filters[vector]
                    filters[vector] += 1
                    outputs[current][vector] = ctx.get(results.word)
                    if reuses and ctx.get(results.early):
                        early.add((current, vector))
            for answer in dut.answers if reuses else ():
                if ctx.get(answer.valid):
                    vector = numbers[ctx.get(answer.pe_set)][ctx.get(answer.slot)]
                    assert vector not in rows
                    rows[vector] = ctx.get(answer.state), ctx.get(answer.entry)
            taken += ctx.get(dut.filter_take)
            await ctx.tick()
            if taken and not ctx.get(dut.busy):
                break
        spent = [ctx.get(counter) - start for counter, start in zip(counters, before, strict=True)]
        return Simulated(*hitmap(rows), outputs, early, *([0] * (3 - len(spent))), *spent)

    async def bench(ctx) -> None:
        for scope in scopes:
            blocks = deal(scope.vectors, one.sets)
            await load(ctx, blocks)
            done.append(await work(ctx, scope, blocks))

    circuit.run(bench)
    return done
