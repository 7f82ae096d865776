"""How do real numbers become integers whose dot products fit the circuit's words?"""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercuric.rtl.stimulus import Integers

Reals = NDArray[np.float64]
_STEP = 0.99


@dataclass(frozen=True)
class Rounded:
    """A layer in integers.

    Attributes:
        vectors: (scopes, vectors, rows, columns).
        random_filters: (bits, rows, columns).
        filters: (scopes, filters, rows, columns).
    """

    vectors: Integers
    random_filters: Integers
    filters: Integers

    @classmethod
    def of(cls, vectors: Reals, random_filters: Reals, filters: Reals, word_bits: int) -> "Rounded":
        """Each of the three times a scale of its own, rounded to the nearest integer.

        The largest sum with a random filter nearly fills a word, to which vectors and random filters
        contribute alike; filters get the largest scale that the vectors leave them. So no sign is wrong
        because a sum is too long, and equal vectors stay equal.

        Args:
            vectors: (scopes, vectors, rows, columns).
            random_filters: (bits, rows, columns); each meets all vectors.
            filters: (scopes, filters, rows, columns); each meets the vectors of its scope.
            word_bits: of the circuit.
        """
        most = (1 << (word_bits - 1)) - 1
        random = np.broadcast_to(random_filters, (len(vectors), *random_filters.shape))
        reach = _reach(vectors, random) / max(_largest(vectors) * _largest(random), 1e-300)
        level = sqrt(most / max(reach, 1 / most))
        while True:
            whole = _rounded(vectors, level)
            signed = _rounded(random_filters, level)
            if _fits(whole, np.broadcast_to(signed, random.shape), most):
                return cls(whole, signed, _fitting(whole, filters, most))
            level *= _STEP


def _fitting(vectors: Integers, filters: Reals, most: int) -> Integers:
    """Filters with the largest scale at which sums and weights fit."""
    size = max(_largest(filters), 1e-300)
    level = min(float(most), most * size / max(_reach(vectors, filters), 1e-300))
    while True:
        found = _rounded(filters, level)
        if _fits(vectors, found, most):
            return found
        level *= _STEP


def _rounded(values: Reals, level: float) -> Integers:
    """Integers of which the largest is about ``level``, if any isn't 0."""
    scale = level / max(_largest(values), 1e-300)
    return np.rint(values * scale).astype(np.int64)


def _largest(values: Reals | Integers) -> float:
    return float(np.abs(values).max(initial=0))


def _reach(vectors: Reals | Integers, filters: Reals | Integers) -> float:
    """The largest dot product, of either sign."""
    sums = (sum_of(one, own) for one, own in zip(vectors, filters, strict=True))
    return max((_largest(each) for each in sums), default=0.0)


def _fits(vectors: Integers, filters: Integers, most: int) -> bool:
    largest = max(_largest(vectors), _largest(filters), _reach(vectors, filters))
    return largest <= most


def sum_of(vectors: NDArray[Any], filters: NDArray[Any]) -> NDArray[Any]:
    """Dot products of a scope's vectors (vectors, rows, columns) with filters: (filters, vectors)."""
    found: NDArray[Any] = filters.reshape(len(filters), -1) @ vectors.reshape(len(vectors), -1).T
    return found
