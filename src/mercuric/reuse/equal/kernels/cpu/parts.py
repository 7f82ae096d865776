"""How do threads share the search for classes, and come to the numbers that one thread gives?

Each looks at a part of the positions, in raster order, and numbers its classes as they appear. Going through
the classes of one part after the other then meets every class in the order in which one thread would have.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from mercuric.reuse.equal.kernels.class_table import ClassTable
from mercuric.reuse.equal.kernels.cpu.vector_table import VectorTable
from mercuric.similarity.threads import over_chunks

POSITIONS_A_PART = 1 << 14
"""Fewer are not worth another thread."""


@dataclass(frozen=True)
class Part:
    """Classes among some positions that follow each other.

    Attributes:
        tuples: int32, (classes, length): what each class's tuple holds.
        places: int64, (classes,): the flat position among all where each class first appears.
    """

    tuples: NDArray[np.int32]
    places: NDArray[np.int64]


Search = Callable[[int, int], Part | None]
"""Writes the ids of a range of units; None where the range has more classes than may be."""


def searched(
    search: Search, units: int, ids: NDArray[np.int32], most: int, separate: bool
) -> ClassTable | None:
    """Classes of all positions.

    Args:
        search: looks at units ``first`` to ``last``.
        units: how many there are, of equally many positions each.
        ids: int32, (positions,), that ``search`` writes.
        most: classes at most.
        separate: whether classes of different units differ.

    Returns:
        The classes, ids (positions,); None where there are more than ``most``.
    """
    count = max(1, min(torch.get_num_threads(), units, len(ids) // POSITIONS_A_PART))
    bounds = [units * part // count for part in range(count + 1)]
    parts: list[Part | None] = [None] * count

    def look(first: int, last: int) -> None:
        for part in range(first, last):
            parts[part] = search(bounds[part], bounds[part + 1])

    over_chunks(look, count)
    found = [part for part in parts if part is not None]
    if len(found) < count:
        return None
    positions = len(ids) // units if units else 0
    slices = [slice(first * positions, last * positions) for first, last in pairwise(bounds)]
    return _joined(found, slices, ids, most, separate)


def _joined(
    parts: Sequence[Part], slices: Sequence[slice], ids: NDArray[np.int32], most: int, separate: bool
) -> ClassTable | None:
    if len(parts) == 1:
        return _as_table(ids, parts[0])
    tuples = np.concatenate([part.tuples for part in parts])
    places = np.concatenate([part.places for part in parts])
    numbers = np.arange(len(tuples), dtype=np.int32)
    if not separate:
        table = VectorTable(tuples.shape[1], most, len(tuples))
        if not table.add(tuples, numbers):
            return None
        tuples, places = table.tuples(), places[table.places()]
    elif len(places) > most:
        return None
    starts = np.cumsum([0, *(len(part.places) for part in parts)])

    def renumber(first: int, last: int) -> None:
        for part in range(first, last):
            _renumber(ids[slices[part]], numbers[starts[part] :])

    over_chunks(renumber, len(parts))
    return _as_table(ids, Part(tuples, places))


def _as_table(ids: NDArray[np.int32], part: Part) -> ClassTable:
    return ClassTable(*(torch.from_numpy(held) for held in (ids, part.tuples, part.places)))


@njit(nogil=True, cache=True)
def _renumber(ids: NDArray[np.int32], numbers: NDArray[np.int32]) -> None:
    for position in range(len(ids)):
        ids[position] = numbers[ids[position]]
