"""Small layers for the steppers: integers, a Hitmap of Fig. 9, an array."""

from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch import Tensor

from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap
from mercuric.similarity.hitmap import HitState
from mercuric.trace.work import Work

Window = list[list[int]]


@dataclass(frozen=True)
class Scope:
    vectors: list[Window]
    states: list[int]
    representatives: list[int]
    cache_sets: list[int]


@dataclass(frozen=True)
class Layer:
    accelerator: Accelerator
    scopes: list[Scope]
    filters: list[Window]
    random_filters: list[Window]

    @property
    def rows(self) -> int:
        return len(self.filters[0])

    @property
    def sets(self) -> int:
        return self.accelerator.pes // self.rows

    @property
    def shape(self) -> VectorShape:
        vectors, elements = len(self.scopes[0].vectors), len(self.filters[0][0])
        return VectorShape(len(self.scopes), vectors, self.rows, elements, len(self.filters))

    @property
    def work(self) -> Work:
        columns = zip(*((s.states, s.representatives, s.cache_sets) for s in self.scopes), strict=True)
        states, representatives, cache_sets = (table(column) for column in columns)
        hitmap = Hitmap(states.to(torch.uint8), representatives)
        return Work(self.shape, hitmap, len(self.random_filters), cache_sets=cache_sets)

    def on(self, **fields: object) -> "Layer":
        """The same layer on a changed accelerator."""
        return Layer(self.accelerator.changed(**fields), self.scopes, self.filters, self.random_filters)


def table(rows: tuple[list[int], ...]) -> Tensor:
    return torch.tensor(rows, dtype=torch.int64).reshape(len(rows), -1)


def raster(vectors: int) -> list[int]:
    return list(range(vectors))


def by_position(vectors: int, sets: int) -> list[int]:
    """The order in which PE sets in step finish vectors: a head of each block in turn."""
    sizes = [len(range(one, vectors, sets)) for one in range(sets)]
    blocks, numbers = [], iter(range(vectors))
    for size in sizes:
        blocks.append([next(numbers) for _ in range(size)])
    return [block.pop(0) for _ in range(max(sizes, default=0)) for block in blocks if block]


def mcache(signatures: list[int], order: list[int], sets: int, ways: int) -> tuple[list[int], list[int]]:
    """Fig. 9, one access after the other: states and representatives, by raster."""
    lines: list[dict[int, int]] = [{} for _ in range(sets)]
    states, representatives = [0] * len(order), [0] * len(order)
    for vector in order:
        signature = signatures[vector]
        line = lines[signature % sets]
        if signature in line:
            states[vector] = int(HitState.HIT)
        elif len(line) < ways:
            line[signature] = vector
            states[vector] = int(HitState.MAU)
        else:
            states[vector] = int(HitState.MNU)
        representatives[vector] = line.get(signature, vector)
    return states, representatives


def windows(rows: int, elements: int, least: int, most: int) -> st.SearchStrategy[list[Window]]:
    row = st.lists(st.integers(-9, 9), min_size=elements, max_size=elements)
    return st.lists(st.lists(row, min_size=rows, max_size=rows), min_size=least, max_size=most)


@st.composite
def layers(
    draw: st.DrawFn, scopes: int = 3, least_vectors: int = 1, vectors: int = 12, filters: int = 3
) -> Layer:
    rows, elements = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    count = draw(st.integers(least_vectors, vectors))
    cache_sets, ways = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    accelerator = Accelerator(
        name="drawn",
        rows=1,
        columns=draw(st.integers(rows, 4 * rows + 2)),
        clock_mhz=1,
        entries=cache_sets * ways,
        ways=ways,
        versions=draw(st.integers(1, 5)),
        pipelined_signatures=draw(st.booleans()),
        mac_unit=draw(st.booleans()),
        arrival=draw(st.sampled_from(["raster", "interleaved"])),
        late_hits=draw(st.sampled_from(["ready", "wait", "recompute"])),
        insertion_queue=draw(st.sampled_from([None, 1, 2])),
    )
    order = raster(count)
    if accelerator.arrival == "interleaved":
        order = by_position(count, accelerator.pes // rows)
    drawn = []
    for _ in range(draw(st.integers(1, scopes))):
        signatures = draw(st.lists(st.integers(0, 7), min_size=count, max_size=count))
        states, representatives = mcache(signatures, order, cache_sets, ways)
        inputs = draw(windows(rows, elements, count, count))
        drawn.append(Scope(inputs, states, representatives, [one % cache_sets for one in signatures]))
    return Layer(
        accelerator, drawn, draw(windows(rows, elements, 1, filters)), draw(windows(rows, elements, 1, 2))
    )


def dot(left: Window, right: Window) -> int:
    return sum(a * b for rows in zip(left, right, strict=True) for a, b in zip(rows[0], rows[1], strict=True))
