"""What of a whole layer goes into a circuit, and what must come out? Integers, scope by scope."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mercuric.accelerator.dataflows.row_stationary.pe_sets import block_lengths
from mercuric.reuse.vectors import VectorShape
from mercuric.rtl.arrival import arrived, entries, in_step
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.rounding import Rounded, sum_of
from mercuric.rtl.stimulus import Integers
from mercuric.similarity import Hitmap

Words = NDArray[np.uint16] | NDArray[np.uint32]


@dataclass(frozen=True)
class LayerData:
    """A layer in integers, and its Hitmap by the order in which PE sets finish signatures.

    Attributes:
        numbers: vectors and filters.
        hitmap: (scopes, vectors), by raster.
        cache_sets: int64, (scopes, vectors): of each signature.
        saved: whether the circuit is given the Hitmap; else it computes it.
    """

    numbers: Rounded
    hitmap: Hitmap
    cache_sets: torch.Tensor
    saved: bool

    @classmethod
    def signed(cls, numbers: Rounded, circuit: Parameters) -> "LayerData":
        """A layer that signs itself: its Hitmap is that of its integers' signatures."""
        signatures = torch.from_numpy(
            np.stack([_packed(sum_of(one, numbers.random_filters) < 0) for one in numbers.vectors])
        )
        hitmap = arrived(circuit, signatures, in_step(circuit, signatures.shape[1]))
        return cls(numbers, hitmap, signatures % circuit.cache_sets, saved=False)

    @property
    def shape(self) -> VectorShape:
        """What the simulator calls it."""
        scopes, vectors, rows, columns = self.numbers.vectors.shape
        return VectorShape(scopes, vectors, rows, columns, self.numbers.filters.shape[1])

    def lengths(self, circuit: Parameters) -> list[int]:
        """Vectors of each PE set's block."""
        lengths = block_lengths(self.shape.vectors, circuit.sets).tolist()
        return [*lengths, *[0] * (circuit.sets - len(lengths))]

    def entries(self, circuit: Parameters) -> Integers:
        """As :func:`mercuric.rtl.arrival.entries`."""
        return entries(circuit, self.hitmap, self.cache_sets, in_step(circuit, self.shape.vectors))

    def results(self, circuit: Parameters) -> Iterator[Words]:
        """Scope by scope every result modulo the word, (filters, vectors): a HIT's is another's."""
        mask = (1 << circuit.word_bits) - 1
        sources = self.hitmap.representatives.numpy()
        for vectors, filters, source in zip(self.numbers.vectors, self.numbers.filters, sources, strict=True):
            words: Any = sum_of(vectors, filters)[:, source] & mask
            yield words.astype(word_type(circuit))


def word_type(circuit: Parameters) -> type[np.uint16] | type[np.uint32]:
    """How a word lies in files."""
    return np.uint16 if circuit.word_bits <= 16 else np.uint32


def _packed(negative: NDArray[np.bool_]) -> Integers:
    """Sign bits (bits, vectors) as signatures, the first bit lowest."""
    places = np.arange(len(negative), dtype=np.int64)[:, None]
    packed: Integers = (negative.astype(np.int64) << places).sum(axis=0)
    return packed
