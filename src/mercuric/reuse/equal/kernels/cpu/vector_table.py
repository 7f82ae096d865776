"""Of which class is each vector of words?"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mercuric.reuse.equal.kernels.cpu.scratch import scratch
from mercuric.reuse.equal.kernels.cpu.slots import FEWEST_SLOTS, NUMBER, factors, move_on, slots_for, tag_of

RUN = 16
"""Vectors that are compared at once with those a period before."""
_SEED = 1


class VectorTable:
    """Classes of int32 vectors, numbered as they come.

    It lies in the calling thread's scratch: that thread may use one at a time.

    Args:
        length: of a vector.
        most: classes at most.
        vectors: how many will come.
    """

    def __init__(self, length: int, most: int, vectors: int) -> None:
        self.classes = 0
        self._most = most
        room = min(most, vectors)
        self._factors = factors(length, _SEED)
        self._slots = slots_for(room)
        self._tuples = scratch("tuples", room * length, np.int32).reshape(room, length)
        self._places = scratch("places", room, np.int64)
        self._begin, self._size = np.uint64(0), np.uint64(FEWEST_SLOTS)
        self._slots[:FEWEST_SLOTS] = 0

    def tuples(self) -> NDArray[np.int32]:
        """Each class's vector, copied."""
        return self._tuples[: self.classes].copy()

    def places(self) -> NDArray[np.int64]:
        """Where each class came first, copied."""
        return self._places[: self.classes].copy()

    def add(
        self,
        vectors: NDArray[np.int32],
        ids: NDArray[np.int32],
        place: int = 0,
        scope: int = 0,
        period: int = 0,
    ) -> bool:
        """Write the vectors' classes.

        Args:
            vectors: (vectors, length), contiguous.
            ids: (vectors,), written to.
            place: of the first vector.
            scope: vectors after which all classes are forgotten, in the beginning too; 0 for never.
            period: how far before lie vectors that are often equal: an image's pixels; 0 for none.

        Returns:
            Whether there are no more than ``most`` classes.
        """
        self.classes, self._begin, self._size = _find(
            vectors, scope, 0 if scope else period, self._most, self._factors, ids, place,
            self._slots, self._tuples, self._places, self.classes,
            np.uint64(self._begin), np.uint64(self._size),
        )  # fmt: skip
        return self.classes <= self._most


@njit(nogil=True, cache=True)
def _find(
    vectors: NDArray[np.int32],
    scope: int,
    period: int,
    most: int,
    factors: NDArray[np.uint64],
    ids: NDArray[np.int32],
    place: int,
    slots: NDArray[np.uint64],
    tuples: NDArray[np.int32],
    places: NDArray[np.int64],
    classes: int,
    begin: np.uint64,
    size: np.uint64,
) -> tuple[int, np.uint64, np.uint64]:
    length, base, known, left = vectors.shape[1], 0, 0, 0
    begin, size = np.uint64(begin), np.uint64(size)
    words = vectors.reshape(-1)
    for run in range(0, len(vectors), RUN):
        after = min(run + RUN, len(vectors))
        if run >= period >= RUN and _are_equal(words, run * length, after * length, period * length):
            ids[run:after] = ids[run - period : after - period]
            known = int(ids[after - 1])
            continue
        for vector in range(run, after):
            fresh = vector == 0
            if scope:
                if left == 0:
                    begin, size = np.uint64(0), np.uint64(FEWEST_SLOTS)
                    slots[:FEWEST_SLOTS] = 0
                    base, left, fresh = classes, scope, True
                left -= 1
            if not fresh and _equal(vectors, vector, vectors, vector - 1, length):
                ids[vector] = known
                continue
            total = np.uint64(0)
            for word in range(length):
                total += np.uint64(np.uint32(vectors[vector, word])) * factors[word]
            tag = tag_of(total)
            slot = tag & (size - np.uint64(1))
            held = slots[begin + slot]
            while held and (
                held >> np.uint64(32) != tag
                or not _equal(vectors, vector, tuples, int(held & NUMBER) - 1, length)
            ):
                slot = (slot + np.uint64(1)) & (size - np.uint64(1))
                held = slots[begin + slot]
            if held:
                known = int(held & NUMBER) - 1
            else:
                known = classes
                classes += 1
                if classes > most:
                    return classes, begin, size
                for word in range(length):
                    tuples[known, word] = vectors[vector, word]
                places[known] = place + vector
                slots[begin + slot] = tag << np.uint64(32) | np.uint64(classes)
                if 2 * (classes - base) >= np.int64(size):
                    move_on(slots, begin, size)
                    begin, size = begin + size, size * np.uint64(4)
            ids[vector] = known
    return classes, begin, size


@njit(nogil=True, cache=True)
def _equal(some: NDArray[np.int32], one: int, others: NDArray[np.int32], other: int, length: int) -> bool:
    word = 0
    while word < length and some[one, word] == others[other, word]:
        word += 1
    return word == length


@njit(nogil=True, cache=True)
def _are_equal(words: NDArray[np.int32], first: int, last: int, before: int) -> bool:
    """Whether words are those that lie ``before`` them; all are looked at, several at once."""
    differ = np.int32(0)
    for word in range(np.uint64(first), np.uint64(last)):
        differ |= words[word] ^ words[word - np.uint64(before)]
    return bool(differ == 0)
