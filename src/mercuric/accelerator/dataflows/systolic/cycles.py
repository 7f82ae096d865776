"""How many cycles does a product take that is folded onto a systolic array?

What the three dataflows share: a layer's products as GEMMs, and the cycles of their folds. Formulas and
assumptions are those of ``docs/systolic-arrays.md``; ``systolic_stepper`` proves them cycle for cycle.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.dataflows.scopes import (
    Counts,
    baselines,
    dense_products,
    misses_and_hits,
    with_reuse,
)
from mercuric.accelerator.dataflows.systolic.fold_schedule import drained
from mercuric.accelerator.hardware import Accelerator, Depth
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap
from mercuric.trace.work import Product, Work

Folds = NDArray[np.int64]
"""(scopes, runs, 6): a scope's folds come in runs of equal ones: how many, and what :func:`folds` says."""


@dataclass(frozen=True)
class Gemm:
    """Matrix products M x K times K x N, one a scope; int64, (scopes,) each.

    Attributes:
        M: rows of the result.
        K: elements of a dot product.
        N: columns of the result.
        passing: turns in which HITs pass ports of their own, beside the vectors left in ``M`` or ``K``; 0
            where a HIT's result is there for nothing.
        skipped: cycles in which HITs are found and passed over.
    """

    M: Counts
    K: Counts
    N: Counts
    passing: Counts
    skipped: Counts


@dataclass(frozen=True)
class Folding:
    """How a systolic array is filled: what tells the cycles of one such dataflow from another's.

    Attributes:
        fold: the folds of a product's GEMMs.
        chooses_before_load: whether the Hitmap decides what is loaded in the forward product, so that it must
            be there before a load, not only before a stream.
        queues: whether an insertion queue of any length holds all requests of overlapping folds.
    """

    fold: Callable[[Accelerator, Product, Gemm], Folds]
    chooses_before_load: bool
    queues: bool


def gemm(
    product: Product, vectors: Counts, passing: Counts, skipped: Counts, length: int, filters: int
) -> Gemm:
    """The GEMM of a product whose input ``vectors`` of ``length`` elements meet ``filters`` filters.

    dO multiplies the gradient, (vectors, filters), by the filters turned over. In dW the vectors are what
    is summed up over.
    """
    of_length, of_filters = np.full_like(vectors, length), np.full_like(vectors, filters)
    if product == "forward":
        return Gemm(vectors, of_length, of_filters, passing, skipped)
    if product == "input_gradient":
        return Gemm(vectors, of_filters, of_length, passing, skipped)
    return Gemm(of_length, vectors, of_filters, passing, skipped)


def folds(
    count: Counts,
    *,
    load: Counts | int,
    stream: Counts,
    lead: Counts | int = 0,
    latency: Counts | int,
    leaving: Counts | int,
) -> Folds:
    """Folds as one table; every argument broadcasts to (scopes, runs).

    Args:
        count: equal folds in a row; there are none where nothing streams.
        load: cycles in which the stationary operand shifts in.
        stream: cycles that the streaming operand takes of its edge.
        lead: those of them before its first element enters, while gradients are summed up.
        latency: cycles from the beginning of the stream until the first column's first result.
        leaving: cycles in which results leave a column.
    """
    parts = np.broadcast_arrays(count * (stream > 0), load, stream, lead, latency, leaving)
    return np.stack(parts, axis=-1).astype(np.int64)


def cycles(
    accelerator: Accelerator, work: Work, products: Sequence[Product], folding: Folding
) -> dict[Product, dict[Timing, Cycles]]:
    """Cycles of some of a layer's products with and without reuse, in both timings.

    Raises:
        ValueError: a scope of the Hitmap has HITs and not one vector that they could reuse.
    """
    counted: dict[Product, dict[Timing, Cycles]] = {}
    for product in products:
        counted[product] = baselines(
            accelerator, partial(baseline_cycles, accelerator, work.shape, product, folding=folding)
        )
        if work.hitmap is not None:
            counted[product] = _reuse(accelerator, work, work.hitmap, product, counted[product], folding)
    return counted


def baseline_cycles(
    accelerator: Accelerator, shape: VectorShape, product: Product, depth: Depth, *, folding: Folding
) -> int:
    """Cycles of one product of a layer without reuse.

    Folded by ``"channel"`` it works scope by scope, as MERCURY does. The ``"whole"`` depth is one GEMM a
    convolution group, over all images too, as SCALE-Sim counts it. On an asynchronous array the folds of both
    overlap as MERCURY's do, for a dense array makes the same use of a second register a PE.
    """
    times, vectors, length = dense_products(shape, depth)
    none = np.array([0])
    dense = gemm(product, np.array([vectors]), none, none, length, shape.filters)
    some = folding.fold(accelerator, product, dense)
    if accelerator.design == "asynchronous":
        return overlapped(accelerator, some, times)
    return times * one_by_one(accelerator, some)


def one_by_one(accelerator: Accelerator, some: Folds) -> int:
    """Cycles of folds that each wait until the one before has drained."""
    count, load, _, _, latency, leaving = np.moveaxis(some, -1, 0)
    return int((count * (load + latency + leaving + accelerator.columns - 1)).sum())


def overlapped(accelerator: Accelerator, equal: Folds, times: int) -> int:
    """Cycles of ``times`` rounds of equal folds that overlap and have no version to wait for."""
    runs = equal[equal[..., 0] > 0]
    if not len(runs) or not times:
        return 0
    count, load, stream, _, latency, leaving = (int(part) for part in runs[0])
    return (
        load + (count * times - 1) * max(load, stream, leaving) + latency + leaving + accelerator.columns - 1
    )


def _reuse(
    accelerator: Accelerator,
    work: Work,
    hitmap: Hitmap,
    product: Product,
    without: dict[Timing, Cycles],
    folding: Folding,
) -> dict[Timing, Cycles]:
    shape, (misses, hits) = work.shape, misses_and_hits(hitmap)
    signatures = _signatures(accelerator, shape, work.bits if product == "forward" else 0, folding)

    def total(passing: Counts, signed: bool) -> int:
        skipped = hits * accelerator.hit_cycles
        some = gemm(product, misses, passing, skipped, shape.length, shape.filters)
        folded, random = folding.fold(accelerator, product, some), signatures if signed else 0 * signatures
        if accelerator.design == "synchronous":
            return one_by_one(accelerator, folded) + one_by_one(accelerator, random)
        waits = folding.chooses_before_load
        return drained(random, folded, accelerator.columns - 1, accelerator.versions, waits)

    return with_reuse(accelerator, without, hits, total)


def _signatures(accelerator: Accelerator, shape: VectorShape, bits: int, folding: Folding) -> Folds:
    """All vectors of each scope by ``bits`` random filters (paper IV)."""
    vectors = np.full(shape.scopes, shape.vectors)
    none = np.zeros_like(vectors)
    random = gemm("forward", vectors, none, none, shape.length, bits)
    return folding.fold(accelerator, "forward", random)
