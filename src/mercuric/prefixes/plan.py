"""Which products of queries and keys does the attention of a tree need, and in how few calls?

A node attends to its ancestors and itself. Nodes are in preorder, so that those below a chain (nodes that
follow one another without a branch) are one range: all of them attend to the whole chain, which is a
rectangle without a mask. A chain attends to itself in a triangle. A small subtree is computed at once under a
mask, where that is less than the calls it takes otherwise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from mercuric.prefixes.tree import Flags, Integers, allowed

CALL = 2048
"""What a call of the kernel costs beside its products of a query and a key, in such products."""
MASKED = 1.2
"""What such a product costs more under a mask."""


class Triangles(NamedTuple):
    """``times`` ranges of ``length`` nodes one behind another, each causal in itself."""

    start: int
    length: int
    times: int


class Rectangle(NamedTuple):
    """Nodes from ``first`` to ``last`` attend to all from ``start`` to ``stop``."""

    first: int
    last: int
    start: int
    stop: int


class Patch(NamedTuple):
    """Nodes from ``start`` to ``stop`` attend to one another by a mask, a row a query."""

    start: int
    stop: int
    mask: Flags


@dataclass(frozen=True)
class AttentionPlan:
    """Every product a tree needs, once: triangles and patches meet each seen node once, rectangles the rest.

    Attributes:
        nodes: how many.
        whole: whether triangles and patches meet every node.
    """

    nodes: int
    whole: bool
    triangles: tuple[Triangles, ...]
    patches: tuple[Patch, ...]
    rectangles: tuple[Rectangle, ...]

    @property
    def products(self) -> int:
        """Products of a query and a key in a head, with those that a triangle or a mask throws away."""
        return (
            sum(times * length * length for _, length, times in self.triangles)
            + sum((stop - start) ** 2 for start, stop, _ in self.patches)
            + sum((last - first) * (stop - start) for first, last, start, stop in self.rectangles)
        )


class _Chain(NamedTuple):
    start: int
    stop: int
    end: int
    seen: bool
    patch: bool
    cost: float


def attention_plan(end: Integers, seen: Flags) -> AttentionPlan:
    """The calls for a tree's nodes in preorder; ``end`` and ``seen`` as in ``PrefixTree``."""
    triangles: list[Triangles] = []
    rectangles: list[Rectangle] = []
    patches: list[Patch] = []
    met, covered = 0, 0
    for chain in _priced(end, seen):
        if chain.start < met or not chain.seen:
            continue
        if chain.patch:
            nodes = slice(chain.start, chain.end)
            patches.append(Patch(chain.start, chain.end, allowed(end, seen, nodes)))
            met = chain.end
            covered += chain.end - chain.start
            continue
        covered += chain.stop - chain.start
        if chain.stop < chain.end:
            rectangles.append(Rectangle(chain.stop, chain.end, chain.start, chain.stop))
        for part in _halved(chain.start, chain.stop):
            if isinstance(part, Triangles):
                triangles.append(part)
            else:
                rectangles.append(part)
    return AttentionPlan(
        len(end), covered == len(end), tuple(_together(triangles)), tuple(patches), tuple(rectangles)
    )


def _priced(end: Integers, seen: Flags) -> list[_Chain]:
    """The chains in preorder, and whether the subtree from each on is less as a patch."""
    following = np.arange(1, len(end))
    same = (following < end[:-1]) & (end[1:] == end[:-1]) & (seen[1:] == seen[:-1])
    starts = [0, *(np.flatnonzero(~same) + 1).tolist()]
    found: list[_Chain] = []
    below: list[_Chain] = []
    for start, stop in reversed(list(pairwise([*starts, len(end)]))):
        last, is_seen = int(end[start]), bool(seen[start])
        cost = 0.0
        while below and below[-1].start < last:
            cost += below.pop().cost
        if is_seen:
            cost += _triangle_cost(stop - start)
            cost += CALL + (stop - start) * (last - stop) if last > stop else 0
        patched = CALL + MASKED * (last - start) ** 2
        patch = is_seen and last > stop and patched < cost
        chain = _Chain(start, stop, last, is_seen, patch, patched if patch else cost)
        found.append(chain)
        below.append(chain)
    return found[::-1]


def _triangle_cost(length: int) -> float:
    whole = CALL + length * length
    half = length // 2
    if _is_whole(length):
        return whole
    return _triangle_cost(half) + _triangle_cost(length - half) + CALL + half * (length - half)


def _is_whole(length: int) -> bool:
    """Whether a causal call throws away less than two calls more cost."""
    return length * length <= 8 * CALL


def _halved(start: int, stop: int) -> Iterator[Triangles | Rectangle]:
    length = stop - start
    if _is_whole(length):
        yield Triangles(start, length, 1)
        return
    middle = start + length // 2
    yield from _halved(start, middle)
    yield Rectangle(middle, stop, start, middle)
    yield from _halved(middle, stop)


def _together(triangles: list[Triangles]) -> Iterator[Triangles]:
    """Neighbours of one length in one call."""
    held: Triangles | None = None
    for one in triangles:
        if held is not None and held[:2] == (one.start - held.length * held.times, one.length):
            held = held._replace(times=held.times + 1)
            continue
        if held is not None:
            yield held
        held = one
    if held is not None:
        yield held
