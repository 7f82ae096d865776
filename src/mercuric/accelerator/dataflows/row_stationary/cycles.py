"""How many cycles does a convolution take on a row-stationary array?

Closed forms and recurrences of ``docs/cycle-model.md``; the steppers prove them cycle for cycle.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Pace, Timing
from mercuric.accelerator.dataflows.row_stationary.asynchronous import AsynchronousProduct
from mercuric.accelerator.dataflows.row_stationary.dealing import Tasks, deal, groups_of_scopes
from mercuric.accelerator.dataflows.row_stationary.insertion_queue import Queueing
from mercuric.accelerator.dataflows.row_stationary.late_hits import Turns
from mercuric.accelerator.dataflows.row_stationary.signature_queues import SignatureQueues
from mercuric.accelerator.dataflows.row_stationary.synchronous import SynchronousProduct
from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap
from mercuric.trace.work import Product, Work


def cycles(
    accelerator: Accelerator, work: Work, products: Sequence[Product]
) -> dict[Product, dict[Timing, Cycles]]:
    """Cycles of some of a layer's products with and without reuse, in both timings.

    The gradient of what reuse computed sums a group's gradients before it multiplies: each backward
    product does a dot product's work for a miss and one addition for a HIT, under the saved Hitmap
    (paper III-C2), so it costs what the forward product costs without the signatures.

    Raises:
        ValueError: the array has fewer PEs than the window has rows; the accelerator has insertion
            queues and the work no cache sets; a late HIT's representative does not arrive before it.
    """
    if work.hitmap is None:
        dense = {timing: _dense(baseline_cycles(accelerator, work.shape, timing)) for timing in TIMINGS}
        return dict.fromkeys(products, dense)
    reuse = _Reuse(accelerator, work, work.hitmap)
    kinds = {product: "forward" if product == "forward" else "backward" for product in products}
    counted = {
        kind: {timing: reuse.cycles(timing, signed=kind == "forward") for timing in TIMINGS}
        for kind in set(kinds.values())
    }
    return {product: counted[kind] for product, kind in kinds.items()}


def baseline_cycles(accelerator: Accelerator, shape: VectorShape, timing: Timing) -> int:
    """Cycles of one product of a layer without reuse.

    Its PE sets wait for each other as those of MERCURY do: after each scope on a synchronous array, never
    on an asynchronous one, so that no overlap is taken for a gain of reuse.

    Raises:
        ValueError: the array has fewer PEs than the window has rows.
    """
    pace, most = product_pace(accelerator, shape, timing), deal(accelerator, shape).most
    groups = groups_of_scopes(accelerator, shape)
    if accelerator.design == "asynchronous":
        return pace.stream(groups * most)
    return groups * pace.stream(most)


def signature_cycles(accelerator: Accelerator, shape: VectorShape, bits: int) -> int:
    """Cycles of ``bits`` signature bits of every input vector: random filters, dealt as the others are.

    Raises:
        ValueError: the array has fewer PEs than the window has rows.
    """
    dot_products = deal(accelerator, replace(shape, filters=bits)).most
    return groups_of_scopes(accelerator, shape) * signature_pace(accelerator, shape).stream(dot_products)


def product_pace(accelerator: Accelerator, shape: VectorShape, timing: Timing) -> Pace:
    """How dot products with filters follow each other, with reuse and without."""
    pace = Pace.lone if timing == "paper" else Pace.pipelined
    return pace(shape.rows, shape.elements, accelerator.mac_unit)


def signature_pace(accelerator: Accelerator, shape: VectorShape) -> Pace:
    """How signature bits follow each other."""
    pace = Pace.pipelined if accelerator.pipelined_signatures else Pace.lone
    return pace(shape.rows, shape.elements, accelerator.mac_unit)


class _Reuse:
    """A layer's products with reuse; what both timings and all products share is computed once."""

    def __init__(self, accelerator: Accelerator, work: Work, hitmap: Hitmap) -> None:
        self._accelerator, self._work, self._shape = accelerator, work, work.shape
        self._tasks = tasks = Tasks.of(accelerator, work.shape)
        each, last = tasks.filters
        self._misses = tasks.misses(hitmap.states, each)
        self._lengths = tasks.everywhere(tasks.lengths)
        self._counted: dict[Timing, tuple[int, int]] = {}
        self._last = None
        if last != each:
            fewer = deal(accelerator, replace(work.shape, filters=last)).products
            self._last = tasks.misses(hitmap.states, last), tasks.everywhere(fewer)

    def cycles(self, timing: Timing, signed: bool) -> Cycles:
        """Cycles of one product, with its signatures where they are computed for it."""
        design = self._synchronous if self._accelerator.design == "synchronous" else self._asynchronous
        return design(timing, self._work.bits if signed else 0)

    def _synchronous(self, timing: Timing, bits: int) -> Cycles:
        ready, stall = self._unsigned(timing)
        if bits:
            stall += self._waiting
        signature = signature_cycles(self._accelerator, self._shape, bits)
        return Cycles(self._baseline(timing), ready, signature, stall)

    def _unsigned(self, timing: Timing) -> tuple[int, int]:
        """A synchronous product, and what late HITs add: alike forward and backward, so counted once."""
        if timing not in self._counted:
            pace = product_pace(self._accelerator, self._shape, timing)
            product = SynchronousProduct(
                self._misses, self._lengths, self._tasks.number, pace, self._last, self._tasks.queued
            )
            ready = product.cycles()
            stall = product.cycles(self._turns) - ready if self._turns else 0
            self._counted[timing] = ready, stall
        return self._counted[timing]

    def _asynchronous(self, timing: Timing, bits: int) -> Cycles:
        """Signatures and products overlap: each part is what it adds to those before it."""
        pace = product_pace(self._accelerator, self._shape, timing)
        signature = signature_pace(self._accelerator, self._shape)
        tasks = self._tasks
        product = AsynchronousProduct(
            self._misses, self._lengths, tasks.number, tasks.buffers, pace, self._last, tasks.queued
        )
        ready = product.cycles()
        random = deal(self._accelerator, replace(self._shape, filters=bits)).products[: len(tasks.lengths)]
        signatures = tasks.everywhere(random)
        signed = product.cycles(signatures, signature) if bits else ready
        queues = self._queues if bits else None
        total = signed
        if queues or self._turns:
            total = product.cycles(signatures, signature, queues, self._turns)
        return Cycles(self._baseline(timing), ready, signed - ready, total - signed)

    def _baseline(self, timing: Timing) -> int:
        return baseline_cycles(self._accelerator, self._shape, timing)

    @cached_property
    def _turns(self) -> Turns | None:
        return Turns.of(self._accelerator, self._work)

    @cached_property
    def _waiting(self) -> int:
        """Cycles that PE sets in step wait for queues."""
        return Queueing.of(self._queues).stall if self._queues else 0

    @cached_property
    def _queues(self) -> SignatureQueues | None:
        capacity, cache_sets = self._accelerator.insertion_queue, self._work.cache_sets
        owners = self._tasks.owners
        if capacity is None or owners is None:
            return None
        if cache_sets is None:
            raise ArgumentError(
                f"cache_sets of the work was None, but insertion_queue={capacity} of accelerator "
                f"{self._accelerator.name!r} needs the MCACHE set of each signature; "
                "an MCACHE without sets (entries=None) has no queues"
            )
        interval = signature_pace(self._accelerator, self._shape).interval
        by_set = cache_sets.cpu().numpy()[:, np.argsort(owners, kind="stable")]
        return SignatureQueues(np.ascontiguousarray(by_set), self._tasks.lengths, interval, capacity)


def _dense(baseline: int) -> Cycles:
    return Cycles(baseline, baseline)
