"""How many cycles does a scope take, if every PE is stepped cycle by cycle?

The oracle of the closed forms: plain integers through the adders and multipliers of Fig. 8, one
scope at a time, and nothing shared with the formulas. Slow on purpose; for small shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mercuric.accelerator.pe_set_stepper import FilterResults, PESet, PipelinedPESet, PlainPESet, Window
from mercuric.similarity.hitmap import HitState


@dataclass(frozen=True)
class Stepped:
    """What the array did.

    Attributes:
        cycles: until the last result left.
        outputs: (filters, vectors): the dot products, those of representatives where reused.
        early_hits: HITs read before the result of their representative, in a slower PE set, was there.
    """

    cycles: int
    outputs: list[list[int]]
    early_hits: int


def step_dense(
    vectors: Sequence[Window], filters: Sequence[Window], sets: int, *, pipelined: bool
) -> Stepped:
    """Every vector times every filter, without reuse; a pipelined array never drains between filters.

    Args:
        vectors: (vectors, rows, elements).
        filters: (filters, rows, elements); signature bits are dot products with random filters.
        sets: PE sets of the array.
        pipelined: Fig. 8b instead of Fig. 8a.

    Raises:
        ValueError: there are no PE sets, or the windows differ in shape.
    """
    states = [int(HitState.MNU)] * len(vectors)
    return _step(vectors, filters, states, range(len(vectors)), sets, pipelined, drains=False)


def step_reuse(
    vectors: Sequence[Window],
    filters: Sequence[Window],
    states: Sequence[int],
    representatives: Sequence[int],
    sets: int,
    *,
    pipelined: bool,
) -> Stepped:
    """The synchronous design: all PE sets wait for each other after each filter, which clears VD bits.

    Args:
        vectors: (vectors, rows, elements).
        filters: (filters, rows, elements).
        states: (vectors,): the Hitmap of this scope.
        representatives: (vectors,): whose result each vector uses.
        sets: PE sets of the array.
        pipelined: Fig. 8b instead of Fig. 8a.

    Raises:
        ValueError: there are no PE sets, the windows differ in shape, or the Hitmap has another
            length than ``vectors``.
        RuntimeError: a HIT's representative has no entry.
    """
    if not len(vectors) == len(states) == len(representatives):
        raise ValueError(
            f"states and representatives had {len(states)} and {len(representatives)} entries, but must have "
            f"one for each of the {len(vectors)} vectors"
        )
    return _step(vectors, filters, states, representatives, sets, pipelined, drains=True)


def _step(
    vectors: Sequence[Window],
    filters: Sequence[Window],
    states: Sequence[int],
    representatives: Sequence[int],
    sets: int,
    pipelined: bool,
    drains: bool,
) -> Stepped:
    rows = _rows(vectors, filters)
    array = [
        PipelinedPESet(block, rows) if pipelined else PlainPESet(block) for block in _deal(vectors, sets)
    ]
    cycle = 0
    results = []
    for weights in filters:
        results.append(FilterResults(states, representatives))
        for pe_set in array:
            pe_set.load(weights, results[-1])
        while not all(pe_set.idle if drains else pe_set.issued for pe_set in array):
            cycle = _cycle(array, cycle)
    while not all(pe_set.idle for pe_set in array):
        cycle = _cycle(array, cycle)
    return Stepped(cycle, [one.outputs() for one in results], sum(one.early_hits for one in results))


def _cycle(array: Sequence[PESet], cycle: int) -> int:
    for pe_set in array:
        pe_set.step(cycle + 1)
    return cycle + 1


def _deal(vectors: Sequence[Window], sets: int) -> list[dict[int, Window]]:
    """Contiguous blocks, as large as if the vectors were handed out one at a time in turn."""
    if sets < 1:
        raise ValueError(f"sets was {sets}, but must be at least 1")
    sizes = [0] * sets
    for index in range(len(vectors)):
        sizes[index % sets] += 1
    numbered = iter(enumerate(vectors))
    return [dict(next(numbered) for _ in range(size)) for size in sizes]


def _rows(vectors: Sequence[Window], filters: Sequence[Window]) -> int:
    shapes = {tuple(len(row) for row in window) for window in (*vectors, *filters)}
    if len(shapes) > 1 or any(0 in shape or len(set(shape)) != 1 for shape in shapes):
        raise ValueError(
            f"vectors and filters had rows of {sorted(shapes)} elements, but must all have equal rows of at "
            "least one element"
        )
    return len(shapes.pop()) if shapes else 1
