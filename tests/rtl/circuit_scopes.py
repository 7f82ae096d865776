"""Small layers for the circuits: integers that sign themselves, and what the plain models say of them."""

from dataclasses import dataclass, field

from oracle.queue_stepper import step_queues
from oracle.stepper import Array, Stepped, deal, step_dense, step_reuse

from mercuric.rtl.parameters import Parameters
from mercuric.similarity.hitmap import HitState

Window = list[list[int]]


@dataclass(frozen=True)
class Scope:
    """Input vectors, random filters (one a signature bit) and filters."""

    vectors: list[Window]
    random_filters: list[Window]
    filters: list[Window]


@dataclass(frozen=True)
class Expected:
    """What a scope gives by the plain models.

    Attributes:
        states: of each vector.
        representatives: whose result each vector uses.
        signature: cycles of the signatures.
        queue: cycles that queues add.
        products: cycles and results of the product.
    """

    states: list[int]
    representatives: list[int]
    signature: int
    queue: int
    products: Stepped


def dot(left: Window, right: Window) -> int:
    return sum(a * b for one, other in zip(left, right, strict=True) for a, b in zip(one, other, strict=True))


def rounds(vectors: int, sets: int) -> list[list[int]]:
    """Which vectors are signed together: the head of every block, then the second of every block."""
    blocks = [list(block) for block in deal(range(vectors), sets)]
    return [
        [block[place] for block in blocks if place < len(block)]
        for place in range(max(map(len, blocks), default=0))
    ]


@dataclass
class PlainMCache:
    """Fig. 9, one signature after the other: set = signature mod sets."""

    sets: int
    ways: int
    lines: dict[int, dict[int, int]] = field(default_factory=dict)

    def access(self, signature: int, vector: int) -> tuple[int, int]:
        """The vector's state, and whose result it uses."""
        line = self.lines.setdefault(signature % self.sets, {})
        if signature in line:
            return int(HitState.HIT), line[signature]
        if len(line) == self.ways:
            return int(HitState.MNU), vector
        line[signature] = vector
        return int(HitState.MAU), vector


def signatures(scope: Scope) -> list[int]:
    return [
        sum((dot(vector, one) < 0) << bit for bit, one in enumerate(scope.random_filters))
        for vector in scope.vectors
    ]


def expected(one: Parameters, scope: Scope) -> Expected:
    signed, together = signatures(scope), rounds(len(scope.vectors), one.sets)
    cache, found = PlainMCache(one.cache_sets, one.ways), {}
    for vector in (vector for each in together for vector in each):
        found[vector] = cache.access(signed[vector], vector)
    states, representatives = (list(each) for each in zip(*(found[v] for v in sorted(found)), strict=True))
    lone = one.kernel_columns + one.kernel_rows - one.mac_unit
    interval = one.kernel_columns if one.overlapped_signatures else lone
    requests = [[signed[vector] % one.cache_sets for vector in each] for each in together]
    signing = Array(one.sets, one.overlapped_signatures, one.mac_unit)
    array = Array(one.sets, one.overlapped_products, one.mac_unit)
    return Expected(
        states,
        representatives,
        step_dense(scope.vectors, scope.random_filters, signing).cycles,
        sum(step_queues(requests, interval, one.queue)),
        step_reuse(scope.vectors, scope.filters, states, representatives, array, one.late_hits),
    )
