"""How many cycles does a fully connected or attention layer take on a row-stationary array?

Paper III-C3 and III-C4: one PE an input, results are sent to the inputs that match. The schedule and its
assumptions are in ``docs/fully-connected.md``; ``fully_connected_stepper.py`` proves it cycle for cycle.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from heapq import heapreplace
from itertools import pairwise
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Pace, Timing
from mercuric.accelerator.dataflows.row_stationary.weight_blocks import (
    block_starts,
    blocks_under_way,
    dense_rounds,
    inputs_of_a_part,
)
from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.vectors import VectorShape
from mercuric.trace.work import Product, Work

_FOREVER: Final = 2**62


def cycles(
    accelerator: Accelerator, work: Work, products: Sequence[Product]
) -> dict[Product, dict[Timing, Cycles]]:
    """Cycles of some of a layer's products with and without reuse, in both timings.

    ``stall`` is what sends add, ``signature`` what signatures add. A backward product is the forward one
    by the saved Hitmap, read backwards: a HIT's gradient is sent where its result came from.
    """
    counted: dict[Product, dict[Timing, Cycles]] = {product: {} for product in products}
    shape, hitmap = work.shape, work.hitmap
    sources = None
    if hitmap is not None:
        part, cut = inputs_of_a_part(accelerator, shape), shape.depth
        sources = block_sources(hitmap.representatives, shape.images, accelerator.pes, cut, part)
    for timing in TIMINGS:
        baseline = baseline_cycles(accelerator, shape, timing)
        for product in products:
            bits = work.bits if product == "forward" else 0
            counted[product][timing] = (
                Cycles(baseline, baseline)
                if sources is None
                else _with_reuse(baseline, sources, Schedule.of(accelerator, shape, bits, timing))
            )
    return counted


def baseline_cycles(accelerator: Accelerator, shape: VectorShape, timing: Timing) -> int:
    """Cycles of one product without reuse: each PE multiplies its input of every block with all weights.

    Blocks are filled from all scopes that share their weights; ``"fair"`` never drains between them. What
    the PEs have free they use as MERCURY's do: for the block that may be under way beside another.
    """
    if not shape.scopes:
        return 0
    cut, sequences = shape.depth, shape.scopes // (shape.images * shape.depth)
    starts = block_starts(
        shape.vectors * shape.images * cut, accelerator.pes, inputs_of_a_part(accelerator, shape)
    )
    rounds = dense_rounds(starts, accelerator.pes, blocks_under_way(accelerator.design == "asynchronous"))
    return sequences * _pace(accelerator, shape, timing).stream(rounds * shape.filters)


@dataclass(frozen=True)
class Schedule:
    """Which PE takes which input when; all times in cycles, look-ups take none.

    Attributes:
        pes: processing elements, and inputs of a full block.
        filters: results of an input.
        signature: an input's signature bits; 0 where the Hitmap is a saved one.
        first: from the look-up of a miss until its first result leaves.
        period: between two results, where no send is in the way.
        asynchronous: whether an input waits for the block before the last alone (there are two MCACHE
            halves), or for all blocks before its own.
        send: a result's way to one matching input.
        part: inputs that blocks are cut from; None: the whole sequence.
    """

    pes: int
    filters: int
    signature: int
    first: int
    period: int
    asynchronous: bool
    send: int = 1
    part: int | None = None

    @classmethod
    def of(cls, accelerator: Accelerator, shape: VectorShape, bits: int, timing: Timing) -> "Schedule":
        """The schedule of a layer of this shape whose signatures have ``bits`` bits."""
        pipelined = accelerator.pipelined_signatures
        signature = _pace(accelerator, shape, "fair" if pipelined else "paper").stream(bits)
        pace = _pace(accelerator, shape, timing)
        asynchronous = accelerator.design == "asynchronous"
        part = inputs_of_a_part(accelerator, shape)
        return cls(
            accelerator.pes, shape.filters, signature, pace.stream(1), pace.interval, asynchronous, part=part
        )

    def total(self, sources: NDArray[np.int64]) -> int:
        """Cycles of all sequences, one after the other; ``sources`` as :func:`block_sources` gives it."""
        lag, starts = blocks_under_way(self.asynchronous), np.array(self._starts(sources.shape[1]))
        timed = self.filters, self.signature, self.first, self.period, self.send
        return sum(int(_total(sequence, starts, self.pes, lag, *timed)) for sequence in sources)

    def total_by_definition(self, sources: NDArray[np.int64]) -> int:
        """What :meth:`total` computes, an input and a result at a time."""
        return sum(self._last_done(sequence.tolist()) for sequence in sources)

    def _starts(self, inputs: int) -> list[int]:
        return block_starts(inputs, self.pes, self.part)

    def _last_done(self, sources: list[int]) -> int:
        nothing = -1
        free = {nothing: 0}  # when an input's PE may take another
        holds = [nothing] * self.pes
        done = [0, 0]  # before the first block
        for start, end in pairwise(self._starts(len(sources))):
            looked_up: dict[int, int] = {}
            matches: dict[int, list[int]] = defaultdict(list)
            for number, source in enumerate(sources[start:end], start):
                pe = min(range(self.pes), key=lambda pe: free[holds[pe]])
                taken = max(free[holds[pe]], done[-2 if self.asynchronous else -1])
                holds[pe] = number
                free[number] = looked_up[number] = taken + self.signature
                if number != source:
                    matches[source].append(looked_up[number])
                free[source] = self._results_and_sends(looked_up[source], matches[source])[0]
            misses = [number for number in looked_up if sources[number] == number]
            sent = [self._results_and_sends(looked_up[miss], matches[miss])[1] for miss in misses]
            done.append(max(*looked_up.values(), *sent))
        return max(done)

    def _results_and_sends(self, looked_up: int, matches: list[int]) -> tuple[int, int]:
        """When a miss's last result leaves the PE, and when the last one is sent."""
        results: list[int] = []
        owed: list[tuple[int, int]] = []
        leaves = looked_up + self.first
        for _ in range(self.filters):
            sends = self.send * sum(match < leaves for match in matches)
            results.append(leaves)
            owed.append((leaves, sends))
            leaves += max(self.period, sends)
        owed += [(match, self.send * sum(result <= match for result in results)) for match in matches]
        sent = looked_up
        for when, sends in sorted(owed):
            sent = max(sent, when) + sends
        return max([looked_up, *results]), sent


def block_sources(
    representatives: Tensor, images: int, pes: int, cut: int = 1, part: int | None = None
) -> NDArray[np.int64]:
    """Whose result each input takes: its own, or that of an earlier one of its scope and its block.

    Similarity is found within a block's MCACHE half: where a representative belongs to another block,
    the first vector of this block that matched it is computed and stands in for it.

    Args:
        representatives: int64, (scopes, vectors), as in :class:`~mercuric.similarity.hitmap.Hitmap`.
        images: scopes that share their weights, and make one sequence of inputs.
        pes: inputs of a block.
        cut: weight blocks, whose inputs follow each other in the sequence.
        part: as :class:`Schedule` has it.

    Returns:
        int64, (scopes / images / cut, cut x images x vectors): positions in the sequence.
    """
    scopes, vectors = representatives.shape
    sequences, inputs = scopes // (images * cut) if images else 0, cut * images * vectors
    sources = np.zeros((sequences, inputs), np.int64)
    by_block = representatives.reshape(images, sequences, cut, vectors).permute(1, 2, 0, 3)
    of_a_part = max(inputs if part is None else part, 1)
    for sequence, own in zip(by_block.reshape(sources.shape), sources, strict=True):
        _block_sources(sequence.detach().cpu().contiguous().numpy(), max(vectors, 1), pes, of_a_part, own)
    return sources


def _with_reuse(baseline: int, sources: NDArray[np.int64], schedule: Schedule) -> Cycles:
    free_sends = replace(schedule, send=0)
    product, signed = replace(free_sends, signature=0).total(sources), free_sends.total(sources)
    return Cycles(baseline, product, signed - product, schedule.total(sources) - signed)


def _pace(accelerator: Accelerator, shape: VectorShape, timing: Timing) -> Pace:
    pace = Pace.lone if timing == "paper" else Pace.pipelined
    return pace(1, shape.length, accelerator.mac_unit)


@njit(cache=True, nogil=True)
def _block_sources(
    representatives: NDArray[np.int64], vectors: int, pes: int, part: int, sources: NDArray[np.int64]
) -> None:
    computed = np.full(len(sources), -1, np.int64)
    for number in range(len(sources)):
        tag = number - number % vectors + representatives[number]
        if computed[tag] < number - number % part % pes:  # in no block, or an earlier one
            computed[tag] = number
        sources[number] = computed[tag]


@njit(cache=True, nogil=True)
def _total(
    sources: NDArray[np.int64],
    starts: NDArray[np.int64],
    pes: int,
    lag: int,
    filters: int,
    signature: int,
    first: int,
    period: int,
    send: int,
) -> int:
    inputs = len(sources)
    free = np.zeros(inputs + 1, np.int64)  # of the PE that took an input; grows with later matches
    due, made = np.zeros(inputs, np.int64), np.zeros(inputs, np.int64)
    sends, sent = np.zeros(inputs, np.int64), np.zeros(inputs, np.int64)
    pe_heap = [(np.int64(0), np.int64(inputs)) for _ in range(min(pes, inputs))]
    done = np.zeros(lag, np.int64)
    total = 0
    for place in range(len(starts) - 1):
        half, block = place % lag, range(starts[place], starts[place + 1])
        finished = 0
        for number in block:
            while free[pe_heap[0][1]] > pe_heap[0][0]:
                heapreplace(pe_heap, (free[pe_heap[0][1]], pe_heap[0][1]))
            looked_up = max(pe_heap[0][0], done[half]) + signature
            finished = max(finished, looked_up)
            free[number], source = looked_up, sources[number]
            if source == number:
                due[number], sent[number] = looked_up + first, looked_up
            else:
                _leave(source, looked_up, filters, period, due, made, sends, sent)
                sent[source] = max(sent[source], looked_up) + made[source] * send
                sends[source] += send
            if made[source] < filters:
                gap = max(period, sends[source])
                free[source] = due[source] + (filters - made[source] - 1) * gap
            heapreplace(pe_heap, (free[number], np.int64(number)))
        for number in block:
            if sources[number] == number:
                _leave(number, _FOREVER, filters, period, due, made, sends, sent)
                finished = max(finished, sent[number])
        done[half] = finished
        total = max(total, finished)
    return total


@njit(cache=True, nogil=True)
def _leave(
    source: int,
    until: int,
    filters: int,
    period: int,
    due: NDArray[np.int64],
    made: NDArray[np.int64],
    sends: NDArray[np.int64],
    sent: NDArray[np.int64],
) -> None:
    """The results that leave a PE ``until`` then, as far apart as their sends need."""
    if made[source] == filters or due[source] > until:
        return
    gap = max(period, sends[source])
    results = min(filters - made[source], (until - due[source]) // gap + 1)
    last = due[source] + (results - 1) * gap
    sent[source] = max(sent[source] + results * sends[source], last + sends[source])
    made[source] += results
    due[source] = last + gap
