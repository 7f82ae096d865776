"""On which layer is a circuit tried, and what must come out? Integers, by the simulator's own words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mercuric.accelerator.dataflows.row_stationary.cycles import baseline_cycles, cycles
from mercuric.accelerator.dataflows.row_stationary.pe_sets import block_owners
from mercuric.reuse.vectors import VectorShape
from mercuric.rtl.arrival import arrived, in_step
from mercuric.rtl.parameters import Parameters
from mercuric.similarity.hitmap import Hitmap
from mercuric.trace.work import Work

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Stimulus:
    """A small layer for a circuit.

    Attributes:
        vectors: (scopes, vectors, rows, columns).
        random_filters: (bits, rows, columns).
        filters: (filters, rows, columns).
        owners: (vectors,): each one's PE set.
    """

    vectors: Integers
    random_filters: Integers
    filters: Integers
    owners: Integers

    @classmethod
    def drawn(cls, circuit: Parameters, scopes: int, filters: int, seed: int) -> "Stimulus":
        """A layer whose blocks fill the input buffers but for one vector, and in which every third repeats.

        Args:
            circuit: what it is for.
            scopes: how many.
            filters: for each of them.
            seed: of what is drawn.
        """
        draw = np.random.default_rng(seed)
        count, window = circuit.sets * circuit.block, (circuit.kernel_rows, circuit.kernel_columns)
        count -= count > 1
        different = draw.integers(-9, 10, (scopes, -(-count // 3), *window))
        chosen = draw.integers(0, different.shape[1], (scopes, count))
        return cls(
            np.stack([one[places] for one, places in zip(different, chosen, strict=True)]),
            draw.integers(-9, 10, (circuit.bits, *window)),
            draw.integers(-9, 10, (filters, *window)),
            block_owners(count, circuit.sets),
        )

    @property
    def shape(self) -> VectorShape:
        """What the simulator calls it."""
        scopes, vectors, rows, columns = self.vectors.shape
        return VectorShape(scopes, vectors, rows, columns, len(self.filters))

    def hitmap(self, circuit: Parameters) -> tuple[Hitmap, torch.Tensor]:
        """The Hitmap in the order in which PE sets finish signatures, and each signature's cache set."""
        signatures = self.signatures()
        order = in_step(circuit, self.shape.vectors)
        return arrived(circuit, signatures, order), signatures % circuit.cache_sets

    def signatures(self) -> torch.Tensor:
        """Of each vector, its first random filter's bit lowest: int64, (scopes, vectors)."""
        negative = torch.from_numpy(_products(self.vectors, self.random_filters) < 0)
        return (negative.long() << torch.arange(len(self.random_filters))[:, None]).sum(1)

    def outputs(self, circuit: Parameters, hitmap: Hitmap | None) -> Integers:
        """Every result modulo the word, (scopes, filters, vectors): with a Hitmap a HIT's is another's."""
        products = _products(self.vectors, self.filters)
        if hitmap is not None:
            sources = hitmap.representatives.numpy()
            products = np.take_along_axis(products, sources[:, None], axis=2)
        return products & ((1 << circuit.word_bits) - 1)

    def cycles(self, circuit: Parameters, reuse: bool) -> tuple[int, int]:
        """Cycles of the signatures and of all the rest, as the simulator counts them."""
        accelerator, timing = circuit.accelerator(), circuit.timing
        if not reuse:
            return 0, baseline_cycles(accelerator, self.shape, timing)
        found, cache_sets = self.hitmap(circuit)
        work = Work(self.shape, found, circuit.bits, cache_sets=cache_sets)
        counted = cycles(accelerator, work, ["forward"])["forward"][timing]
        return counted.signature, counted.product + counted.stall

    def slots(self, circuit: Parameters) -> list[list[int]]:
        """The vectors of each PE set, in their order."""
        return [np.flatnonzero(self.owners == pe_set).tolist() for pe_set in range(circuit.sets)]


def _products(vectors: Integers, filters: Integers) -> Integers:
    found: Integers = np.einsum("svrc,frc->sfv", vectors, filters)
    return found


def words(values: Sequence[int] | Integers, bits: int) -> int:
    """Values side by side, the first one lowest, as a port takes them."""
    return sum((int(value) & ((1 << bits) - 1)) << (place * bits) for place, value in enumerate(values))
