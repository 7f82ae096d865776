"""How many cycles does a product take on PEs to which a bus brings what they multiply?

What the two such dataflows share; formulas and assumptions are those of ``docs/systolic-arrays.md``, and
``bus_stepper`` proves them cycle for cycle.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.dataflows.scopes import (
    Counts,
    baselines,
    dense_products,
    misses_and_hits,
    with_reuse,
)
from mercuric.accelerator.hardware import Accelerator, Depth
from mercuric.similarity.hitmap import Hitmap
from mercuric.trace.work import Product, Work


@dataclass(frozen=True)
class Given:
    """What the array multiplies.

    Attributes:
        vectors: int64, (scopes,): input vectors that are computed.
        length: elements of each.
        filters: that each meets.
        passing: turns in which the scope's HITs pass ports of their own.
        skipped: cycles in which its HITs are found and passed over.
    """

    vectors: Counts
    length: int
    filters: int
    passing: Counts
    skipped: Counts

    @classmethod
    def dense(cls, vectors: Counts, length: int, filters: int) -> "Given":
        """Without a HIT."""
        return cls(vectors, length, filters, np.zeros_like(vectors), np.zeros_like(vectors))


@dataclass(frozen=True)
class Spent:
    """What it does in how many cycles; spent cycles add up.

    Attributes:
        loads: in which what stays is loaded into the PEs, or leaves them.
        streams: in which the bus moves what is multiplied.
    """

    loads: int = 0
    streams: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.loads + other.loads, self.streams + other.streams)

    def total(self, accelerator: Accelerator) -> int:
        """One after the other; or (asynchronous design) all but the first word loaded while others stream."""
        return self.streams + (self.loads if accelerator.design == "synchronous" else min(self.loads, 1))


@dataclass(frozen=True)
class Layout:
    """What tells one such dataflow from the other.

    Attributes:
        spent: on a product by this many PEs.
        stays: whether a product begins with what its signatures have left in the PEs.
    """

    spent: Callable[[int, Product, Given], Spent]
    stays: bool


def cycles(
    accelerator: Accelerator, work: Work, products: Sequence[Product], layout: Layout
) -> dict[Product, dict[Timing, Cycles]]:
    """Cycles of some of a layer's products with and without reuse, in both timings.

    Raises:
        ValueError: a scope of the Hitmap has HITs and not one vector that they could reuse.
    """
    counted: dict[Product, dict[Timing, Cycles]] = {}
    for product in products:

        def dense(depth: Depth, product: Product = product) -> int:
            times, vectors, length = dense_products(work.shape, depth)
            given = Given.dense(np.full(times, vectors), length, work.shape.filters)
            return layout.spent(accelerator.pes, product, given).total(accelerator)

        counted[product] = baselines(accelerator, dense)
        if work.hitmap is not None:
            counted[product] = _reuse(accelerator, work, work.hitmap, product, counted[product], layout)
    return counted


def _reuse(
    accelerator: Accelerator,
    work: Work,
    hitmap: Hitmap,
    product: Product,
    without: dict[Timing, Cycles],
    layout: Layout,
) -> dict[Timing, Cycles]:
    shape, (misses, hits) = work.shape, misses_and_hits(hitmap)
    bits = work.bits if product == "forward" else 0
    random = Given.dense(np.full_like(misses, shape.vectors), shape.length, bits)
    signatures = layout.spent(accelerator.pes, "forward", random)

    def total(passing: Counts, signed: bool) -> int:
        skipped = hits * accelerator.hit_cycles
        given = Given(misses, shape.length, shape.filters, passing, skipped)
        spent = layout.spent(accelerator.pes, product, given)
        if signed and bits:
            held = int(misses.sum()) if layout.stays and shape.filters else 0
            spent = replace(spent, loads=spent.loads - held) + signatures
        return spent.total(accelerator)

    return with_reuse(accelerator, without, hits, total)
