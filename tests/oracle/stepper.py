"""How many cycles does a scope take, if every PE is stepped cycle by cycle?

The oracle of the synchronous design's closed forms: plain integers through the adders and multipliers
of Fig. 8, one scope at a time, and nothing shared with the formulas. Slow on purpose; for small shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from mercuric.accelerator.hardware import LateHits
from mercuric.similarity.hitmap import HitState
from oracle.pe_set_stepper import (
    FilterResults,
    PESet,
    PipelinedPESet,
    PlainPESet,
    Window,
)

Card = TypeVar("Card")


@dataclass(frozen=True)
class Stepped:
    """What the array did.

    Attributes:
        cycles: until the last result left.
        outputs: (filters, vectors): the dot products, those of representatives where reused.
        early_hits: HITs read before the result of their representative, in another PE set, was there.
    """

    cycles: int
    outputs: list[list[int]]
    early_hits: int


@dataclass(frozen=True)
class Array:
    """PE sets that are stepped.

    Attributes:
        sets: how many.
        pipelined: Fig. 8b instead of Fig. 8a.
        mac_unit: whether PEs add a product in the cycle that multiplies it.
    """

    sets: int
    pipelined: bool
    mac_unit: bool = False

    def __post_init__(self) -> None:
        if self.sets < 1:
            raise ValueError(f"sets was {self.sets}, but must be at least 1")

    def pe_set(self, rows: int) -> PESet:
        """A PE set for windows of ``rows`` rows."""
        return PipelinedPESet(rows, self.mac_unit) if self.pipelined else PlainPESet(self.mac_unit)


def step_dense(vectors: Sequence[Window], filters: Sequence[Window], array: Array) -> Stepped:
    """Every vector times every filter, without reuse; a pipelined array never drains between filters.

    Args:
        vectors: (vectors, rows, elements).
        filters: (filters, rows, elements); signature bits are dot products with random filters.
        array: what is stepped.

    Raises:
        ValueError: the windows differ in shape.
    """
    states = [int(HitState.MNU)] * len(vectors)
    results = [FilterResults(states, range(len(vectors))) for _ in filters]
    return _step(vectors, filters, results, array, drains=False)


def step_reuse(
    vectors: Sequence[Window],
    filters: Sequence[Window],
    states: Sequence[int],
    representatives: Sequence[int],
    array: Array,
    late_hits: LateHits = "ready",
) -> Stepped:
    """The synchronous design: all PE sets wait for each other after each filter, which clears VD bits.

    Args:
        vectors: (vectors, rows, elements).
        filters: (filters, rows, elements).
        states: (vectors,): the Hitmap of this scope.
        representatives: (vectors,): whose result each vector uses.
        array: what is stepped.
        late_hits: what a HIT does whose result is not there in its turn; one that is computed after all
            has its own result.

    Raises:
        ValueError: the windows differ in shape, or the Hitmap has another length than ``vectors``.
        RuntimeError: a HIT's representative has no entry, or PE sets wait for each other for ever.
    """
    if not len(vectors) == len(states) == len(representatives):
        raise ValueError(
            f"states and representatives had {len(states)} and {len(representatives)} entries, but must have "
            f"one for each of the {len(vectors)} vectors"
        )
    results = [FilterResults(states, representatives, late_hits) for _ in filters]
    return _step(vectors, filters, results, array, drains=True)


def _step(
    vectors: Sequence[Window],
    filters: Sequence[Window],
    results: Sequence[FilterResults],
    array: Array,
    drains: bool,
) -> Stepped:
    rows = window_rows([*vectors, *filters])
    pe_sets = [(array.pe_set(rows), block) for block in deal(vectors, array.sets)]
    clock = Clock([pe_set for pe_set, _ in pe_sets], _patience(vectors, filters))
    for weights, one in zip(filters, results, strict=True):
        for pe_set, block in pe_sets:
            pe_set.load(block, weights, one)
        while not all(pe_set.idle if drains else pe_set.issued for pe_set, _ in pe_sets):
            clock.tick()
    while not all(pe_set.idle for pe_set, _ in pe_sets):
        clock.tick()
    return Stepped(clock.cycle, [one.outputs() for one in results], sum(one.early_hits for one in results))


class Clock:
    """Steps PE sets together.

    Args:
        pe_sets: what is stepped.
        patience: cycles after which the array must have finished.

    Attributes:
        cycle: how many there were.
    """

    def __init__(self, pe_sets: Sequence[PESet], patience: int) -> None:
        self._pe_sets, self._patience = pe_sets, patience
        self.cycle = 0

    def tick(self) -> None:
        """One cycle; RuntimeError where the array is stuck."""
        self.cycle += 1
        if self.cycle > self._patience:
            raise RuntimeError(f"PE sets still wait for each other after {self._patience} cycles")
        for pe_set in self._pe_sets:
            pe_set.step(self.cycle)


def _patience(vectors: Sequence[Window], filters: Sequence[Window]) -> int:
    """More cycles than one multiplication at a time would take."""
    windows = [*vectors, *filters]
    longest = max((len(window) * len(window[0]) for window in windows), default=0)
    return 4 * (longest + 2) * (len(vectors) + 1) * (len(filters) + 1)


def deal(cards: Sequence[Card], sets: int) -> list[dict[int, Card]]:
    """Contiguous blocks, as large as if the cards were handed out one at a time in turn."""
    sizes = [0] * sets
    for index in range(len(cards)):
        sizes[index % sets] += 1
    numbered = iter(enumerate(cards))
    return [dict(next(numbered) for _ in range(size)) for size in sizes]


def window_rows(windows: Sequence[Window]) -> int:
    """Rows of a window; ValueError where they differ in shape."""
    shapes = {tuple(len(row) for row in window) for window in windows}
    if len(shapes) > 1 or any(0 in shape or len(set(shape)) != 1 for shape in shapes):
        raise ValueError(
            f"vectors and filters had rows of {sorted(shapes)} elements, but must all have equal rows of at "
            "least one element"
        )
    return len(shapes.pop()) if shapes else 1
