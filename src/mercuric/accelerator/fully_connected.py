"""How many cycles does a fully connected or attention layer take on a row-stationary array?

Paper III-C3 and III-C4: one PE an input, results are sent from PE to PE. ``docs/fully-connected.md`` has
the recurrence and its assumptions; ``fully_connected_stepper.py`` proves it cycle for cycle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.accelerator.cycles import Cycles
from mercuric.accelerator.dot_product import TIMINGS, Pace, Timing
from mercuric.accelerator.hardware import Accelerator
from mercuric.accelerator.work import Product, Work
from mercuric.reuse.vectors import VectorShape

HIT: Final = -1
"""In place of a number of sends: the vector's PE computes nothing."""


def cycles(
    accelerator: Accelerator, work: Work, products: Sequence[Product]
) -> dict[Product, dict[Timing, Cycles]]:
    """Cycles of some of a layer's products with and without reuse, in both timings.

    ``stall`` is what sends add, ``signature`` what signatures add, the wait for a block's Hitmap
    included. A backward product is the forward one by the saved Hitmap: a HIT's gradient is sent to its
    representative's PE where the forward product sends the result the other way.
    """
    counted: dict[Product, dict[Timing, Cycles]] = {product: {} for product in products}
    sends = None if work.hitmap is None else block_sends(work.hitmap.representatives, accelerator.pes)
    for timing in TIMINGS:
        baseline = baseline_cycles(accelerator, work.shape, timing)
        for product in products:
            bits = work.bits if product == "forward" else 0
            counted[product][timing] = (
                Cycles(baseline, baseline)
                if sends is None
                else _with_reuse(baseline, sends, BlockTimes.of(accelerator, work.shape, bits, timing))
            )
    return counted


def baseline_cycles(accelerator: Accelerator, shape: VectorShape, timing: Timing) -> int:
    """Cycles of one product without reuse: each PE multiplies its input of every block with all weights.

    ``"paper"`` goes scope by scope, as MERCURY has to; ``"fair"`` fills its blocks from all scopes that
    share their weights and never drains between them.
    """
    if not shape.scopes:
        return 0
    together = 1 if timing == "paper" else shape.images
    blocks = -(-shape.vectors * together // accelerator.pes)
    return shape.scopes // together * _pace(accelerator, shape, timing).stream(blocks * shape.filters)


@dataclass(frozen=True)
class BlockTimes:
    """How long the parts of a block take, in cycles.

    Attributes:
        pes: inputs of a full block.
        filters: results of a miss.
        signature: an input's signature bits; 0 where the Hitmap is a saved one.
        first: from the start of the products until the first result.
        period: between two results, where no send is in the way.
        asynchronous: whether a PE may go on to the next block before the others are done (two MCACHE
            halves, so no further than that), or not.
    """

    pes: int
    filters: int
    signature: int
    first: int
    period: int
    asynchronous: bool

    @classmethod
    def of(cls, accelerator: Accelerator, shape: VectorShape, bits: int, timing: Timing) -> "BlockTimes":
        """The times of a layer of this shape whose signatures have ``bits`` bits."""
        pipelined = accelerator.pipelined_signatures
        signature = _pace(accelerator, shape, "fair" if pipelined else "paper").stream(bits)
        pace = _pace(accelerator, shape, timing)
        asynchronous = accelerator.design == "asynchronous"
        return cls(accelerator.pes, shape.filters, signature, pace.stream(1), pace.interval, asynchronous)

    def total(self, sends: NDArray[np.int64]) -> int:
        """Cycles until the last result of all scopes is sent; ``sends`` as :func:`block_sends` gives it."""
        lag = 2 if self.asynchronous else 1
        return int(_total(sends, self.pes, self.filters, self.signature, self.first, self.period, lag))

    def total_by_definition(self, sends: NDArray[np.int64]) -> int:
        """What :meth:`total` computes, a block at a time; all times are counted from the first cycle on."""
        free = np.zeros(self.pes, np.int64)  # when a PE has finished its input of the last block
        sent = np.zeros(self.pes, np.int64)  # when its last result has reached every later PE
        done = [0, 0]  # when every PE was done with a block
        for block in (s[start : start + self.pes] for s in sends for start in range(0, len(s), self.pes)):
            used = slice(len(block))
            begin = np.maximum(free[used], done[-2 if self.asynchronous else -1]) + self.signature
            if self.signature:
                begin[:] = begin.max()  # the Hitmap is complete
            free[used] = begin
            misses = np.flatnonzero((block != HIT) & (self.filters > 0))
            first = np.maximum(begin[misses] + self.first, sent[misses])
            free[misses] = first + (self.filters - 1) * np.maximum(self.period, block[misses])
            sent[misses] = free[misses] + block[misses]
            done.append(int(np.max([*begin, *sent[misses]])))
        return max(done)


def block_sends(representatives: Tensor, pes: int) -> NDArray[np.int64]:
    """How many PEs each vector's PE sends every result to; ``HIT`` for a PE that receives.

    Similarity is found within a block: where a representative belongs to another block, the first
    vector of this block that matched it is computed and stands in for it.

    Args:
        representatives: int64, (scopes, vectors), as in :class:`~mercuric.similarity.hitmap.Hitmap`.
        pes: vectors of a block.

    Returns:
        int64, (scopes, vectors).
    """
    sends = np.zeros(tuple(representatives.shape), np.int64)
    _block_sends(representatives.detach().cpu().contiguous().numpy(), pes, sends)
    return sends


def _with_reuse(baseline: int, sends: NDArray[np.int64], times: BlockTimes) -> Cycles:
    free_sends = np.minimum(sends, 0)
    product, signed = replace(times, signature=0).total(free_sends), times.total(free_sends)
    return Cycles(baseline, product, signed - product, times.total(sends) - signed)


def _pace(accelerator: Accelerator, shape: VectorShape, timing: Timing) -> Pace:
    pace = Pace.lone if timing == "paper" else Pace.pipelined
    return pace(1, shape.length, accelerator.mac_unit)


@njit(cache=True, nogil=True)
def _block_sends(representatives: NDArray[np.int64], pes: int, sends: NDArray[np.int64]) -> None:
    scopes, vectors = representatives.shape
    computed = np.empty(vectors, np.int64)
    for scope in range(scopes):
        computed[:] = -1
        for vector in range(vectors):
            group = representatives[scope, vector]
            if computed[group] >= vector - vector % pes:  # by a PE of this block
                sends[scope, computed[group]] += 1
                sends[scope, vector] = HIT
            else:
                computed[group] = vector


@njit(cache=True, nogil=True)
def _total(
    sends: NDArray[np.int64], pes: int, filters: int, signature: int, first: int, period: int, lag: int
) -> int:
    scopes, vectors = sends.shape
    free, sent, done = np.zeros(pes, np.int64), np.zeros(pes, np.int64), np.zeros(lag, np.int64)
    block = total = 0
    for scope in range(scopes):
        for start in range(0, vectors, pes):
            used = min(pes, vectors - start)
            hitmap = 0
            for pe in range(used):
                free[pe] = max(free[pe], done[block % lag]) + signature
                hitmap = max(hitmap, free[pe])
            finished = 0
            for pe in range(used):
                if signature:
                    free[pe] = hitmap
                finished = max(finished, free[pe])
                receivers = sends[scope, start + pe]
                if receivers != HIT and filters:
                    left = max(free[pe] + first, sent[pe])
                    free[pe] = left + (filters - 1) * max(period, receivers)
                    sent[pe] = free[pe] + receivers
                    finished = max(finished, sent[pe])
            done[block % lag] = finished
            total = max(total, finished)
            block += 1
    return total
