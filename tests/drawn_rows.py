"""Small layers for the stepper of rows: integers, a Hitmap of Fig. 9, an array of columns."""

from dataclasses import dataclass, replace
from typing import get_args

import torch
from drawn_layers import Scope, Window, mcache, raster, table, windows
from hypothesis import strategies as st
from oracle.row_stepper import RowArray

from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.hardware import Accelerator, Design, Replicated
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap
from mercuric.trace.work import Work

DESIGNS: tuple[Design, ...] = get_args(Design)


@dataclass(frozen=True)
class RowLayer:
    """Scopes image by image, and channel by channel in an image."""

    accelerator: Accelerator
    scopes: list[Scope]
    filters: list[Window]
    random_filters: list[Window]
    output_rows: int
    images: int

    @property
    def shape(self) -> VectorShape:
        window, scopes = self.filters[0], len(self.scopes)
        return VectorShape(
            scopes, len(self.scopes[0].vectors), len(window), len(window[0]), len(self.filters),
            self.images, scopes // self.images, self.output_rows,
        )  # fmt: skip

    @property
    def work(self) -> Work:
        columns = zip(*((s.states, s.representatives, s.cache_sets) for s in self.scopes), strict=True)
        states, representatives, cache_sets = (table(column) for column in columns)
        hitmap = Hitmap(states.to(torch.uint8), representatives)
        return Work(self.shape, hitmap, len(self.random_filters), cache_sets=cache_sets)

    @property
    def groups(self) -> list[list[Scope]]:
        """Scopes that may be side by side."""
        by_image = [self.scopes[one :: self.shape.depth] for one in range(self.shape.depth)]
        channels = len(self.scopes) // self.images
        by_channel = [self.scopes[one * channels :][:channels] for one in range(self.images)]
        return {"filters": [[one] for one in self.scopes], "images": by_image, "channels": by_channel}[
            self.accelerator.replicated
        ]

    def on(self, **fields: object) -> "RowLayer":
        return replace(self, accelerator=self.accelerator.changed(**fields))


def in_step(vectors: int, output_rows: int, sets: int) -> list[list[int]]:
    """The vectors that PE sets finish together, round by round: each takes its rows from left to right."""
    width, hands = vectors // output_rows, [list[int]() for _ in range(min(sets, output_rows))]
    for row in range(output_rows):
        hands[row % sets] += range(row * width, (row + 1) * width)
    longest = max(map(len, hands))
    return [[hand[place] for hand in hands if place < len(hand)] for place in range(longest)]


def sets_of(accelerator: Accelerator, window: int) -> int:
    return len(array_of(accelerator, window, 1, "paper").workers())


def array_of(accelerator: Accelerator, window: int, output_rows: int, timing: Timing) -> RowArray:
    return RowArray(
        accelerator.rows, accelerator.columns, window, output_rows, timing == "fair",
        accelerator.pipelined_signatures, accelerator.mac_unit,
        replicas=accelerator.replicas or 10**6,
    )  # fmt: skip


@st.composite
def arrays(draw: st.DrawFn, window: int) -> Accelerator:
    replicated: Replicated = draw(st.sampled_from(get_args(Replicated)))
    ways = draw(st.integers(1, 3))
    return Accelerator(
        name="drawn",
        rows=draw(st.integers(1, 2 * window + 1)),
        columns=draw(st.integers(window, window + 5)),
        clock_mhz=1,
        entries=ways * draw(st.integers(1, 3)),
        ways=ways,
        dealing="rows",
        replicated=replicated,
        replicas=draw(st.none() | st.integers(1, 3)),
        design=draw(st.sampled_from(DESIGNS)),
        versions=draw(st.integers(1, 4)),
        pipelined_signatures=draw(st.booleans()),
        mac_unit=draw(st.booleans()),
        arrival=draw(st.sampled_from(["raster", "interleaved"])),
        late_hits=draw(st.sampled_from(["ready", "wait", "recompute"])),
        insertion_queue=draw(st.sampled_from([None, 1, 2])) if replicated == "filters" else None,
    )


@st.composite
def row_layers(draw: st.DrawFn, width: int = 4, filters: int = 5) -> RowLayer:
    window, elements = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    output_rows, across = draw(st.integers(1, 5)), draw(st.integers(1, width))
    images, depth = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    accelerator, count = draw(arrays(window)), output_rows * across
    cache_sets = accelerator.mcache.sets or 1
    order = raster(count)
    if accelerator.arrival == "interleaved":
        order = [v for one in in_step(count, output_rows, sets_of(accelerator, window)) for v in one]
    scopes = []
    for _ in range(images * depth):
        signatures = draw(st.lists(st.integers(0, 7), min_size=count, max_size=count))
        states, representatives = mcache(signatures, order, cache_sets, accelerator.ways)
        inputs = draw(windows(window, elements, count, count))
        scopes.append(Scope(inputs, states, representatives, [one % cache_sets for one in signatures]))
    drawn = draw(windows(window, elements, 1, filters)), draw(windows(window, elements, 1, 4))
    return RowLayer(accelerator, scopes, *drawn, output_rows, images)
