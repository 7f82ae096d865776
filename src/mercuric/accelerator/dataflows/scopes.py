"""Which products do a layer's scopes make, how are they shared out, and what do their HITs cost?"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.hardware import Accelerator, Depth
from mercuric.errors import ArgumentError
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap

Counts = NDArray[np.int64]


def ceil(dividend: Counts, divisor: int) -> Counts:
    """How many groups of ``divisor`` it takes to hold ``dividend``."""
    return -(-dividend // divisor)


def shared_out(count: Counts, *totals: Counts) -> tuple[Counts, ...]:
    """Each of ``totals`` spread over ``count`` folds as evenly as can be, the first folds having more.

    Returns:
        (scopes, runs) each: folds that have equal shares, and of each total the share that they have.
    """
    shares = [np.divmod(total, np.maximum(count, 1)) for total in totals]
    bounds = np.sort(np.stack([np.zeros_like(count), *(larger for _, larger in shares), count], axis=1))
    begins = bounds[:, :-1]
    return np.diff(bounds), *((less[:, None] + (begins < more[:, None])) for less, more in shares)


def dense_products(shape: VectorShape, depth: Depth) -> tuple[int, int, int]:
    """How many products a baseline makes of a layer, of how many vectors each, of which length."""
    if depth == "channel":
        return shape.scopes, shape.vectors, shape.length
    return shape.groups, shape.vectors * shape.images, shape.length * shape.depth


def misses_and_hits(hitmap: Hitmap) -> tuple[Counts, Counts]:
    """Vectors of each scope that are computed, and that reuse a result.

    Raises:
        ValueError: a scope has HITs and not one vector that they could reuse.
    """
    hits = hitmap.hits_of_scopes
    misses = hitmap.states.shape[1] - hits
    if (alone := np.flatnonzero((hits > 0) & (misses == 0))).size:
        raise ArgumentError(
            f"hitmap had HITs alone in scope {alone[0]}, but must have a vector there that they reuse"
        )
    return misses, hits


def baselines(accelerator: Accelerator, dense: Callable[[Depth], int]) -> dict[Timing, Cycles]:
    """A product without reuse, in both timings; ``dense`` counts it by how the depth is folded."""
    cycles = {timing: dense(accelerator.depth(timing)) for timing in TIMINGS}
    return {timing: Cycles(baseline, baseline) for timing, baseline in cycles.items()}


def with_reuse(
    accelerator: Accelerator,
    without: dict[Timing, Cycles],
    hits: Counts,
    total: Callable[[Counts, bool], int],
) -> dict[Timing, Cycles]:
    """A product with reuse, in both timings.

    Args:
        accelerator: whose ports HITs' results pass.
        without: the product without reuse.
        hits: of each scope.
        total: cycles by the turns that HITs take of the ports, and with signatures or without.
    """
    least, counted = total(np.zeros_like(hits), False), dict[Timing, Cycles]()
    for timing, dense in without.items():
        ports = accelerator.ports(timing)
        passing = np.zeros_like(hits) if ports is None else ceil(hits, ports)
        unsigned = total(passing, False)
        signatures = total(passing, True) - unsigned
        counted[timing] = Cycles(dense.baseline, least, signatures, unsigned - least)
    return counted
