"""Which class has this tuple? The table that compiled kernels look tuples up in.

Open addressing: a slot holds the upper half of a tuple's hash and the class's number plus 1, or 0 where it
is free. Whoever finds an equal hash compares the tuples, so that classes are exact whatever hashes to what.
A table that fills moves to four times as many slots, which lie behind it in one piece of memory.
"""

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mercuric.reuse.equal.kernels.cpu.scratch import scratch

FEWEST_SLOTS = 1 << 12
NUMBER = np.uint64(0xFFFFFFFF)
"""The half of a slot that holds a class's number plus 1."""


def slots_for(classes: int) -> NDArray[np.uint64]:
    """Memory for all tables up to the one that holds so many classes."""
    size = total = FEWEST_SLOTS
    while size <= 2 * classes:
        size *= 4
        total += size
    slots: NDArray[np.uint64] = scratch("slots", total, np.uint64)
    return slots


@lru_cache
def factors(count: int, seed: int) -> NDArray[np.uint64]:
    """Odd numbers that a tuple's elements are multiplied by, to be added up as its hash."""
    drawn = np.random.default_rng(seed).integers(1 << 63, size=count, dtype=np.uint64)
    return drawn * np.uint64(2) + np.uint64(1)


@njit(nogil=True, cache=True)
def tag_of(total: np.uint64) -> np.uint64:
    """32 bits to which every bit of a sum of products has come."""
    total ^= total >> np.uint64(32)
    total *= np.uint64(0x9E3779B97F4A7C15)
    return total >> np.uint64(32)


@njit(nogil=True, cache=True)
def move_on(slots: NDArray[np.uint64], begin: np.uint64, size: np.uint64) -> None:
    """Move the table of ``size`` slots at ``begin`` to the four times as many behind them."""
    there, last = begin + size, np.uint64(4) * size - np.uint64(1)
    slots[there : there + last + np.uint64(1)] = 0
    for place in range(begin, there):
        held = slots[place]
        if held:
            slot = (held >> np.uint64(32)) & last
            while slots[there + slot]:
                slot = (slot + np.uint64(1)) & last
            slots[there + slot] = held
