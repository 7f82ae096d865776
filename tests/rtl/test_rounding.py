"""Integers of a layer fill the circuit's words and never overflow them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("amaranth", reason="the extra rtl is not installed")

from mercuric.rtl.rounding import Rounded, sum_of


@given(
    st.tuples(*(st.integers(1, 4) for _ in range(4))), st.integers(6, 32), st.floats(1e-6, 1e6),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
@settings(max_examples=60)
def test_sums_fit(shape: tuple[int, ...], word_bits: int, scale: float, seed: int) -> None:
    scopes, vectors, rows, columns = shape
    draw = np.random.default_rng(seed)
    read = draw.normal(size=(scopes, 5 * vectors, rows, columns)) * scale
    random, filters = (
        draw.normal(size=(7, rows, columns)),
        draw.normal(size=(scopes, 3, rows, columns)) / scale,
    )
    found = Rounded.of(read, random, filters, word_bits)
    most = 2 ** (word_bits - 1) - 1
    for one, own in zip(found.vectors, found.filters, strict=True):
        for each in (one, own, found.random_filters, sum_of(one, found.random_filters), sum_of(one, own)):
            assert np.abs(each).max() <= most
    largest = max(np.abs(sum_of(one, found.random_filters)).max() for one in found.vectors)
    assert word_bits < 12 or largest > most / 2


def test_what_is_equal_stays_equal_and_zero_stays_zero() -> None:
    read = np.array([0.0, 0.3, 0.3, -0.3]).reshape(1, 4, 1, 1)
    found = Rounded.of(read, np.ones((1, 1, 1)), np.full((1, 1, 1, 1), 0.5), 16)
    zero, one, same, other = found.vectors.ravel().tolist()
    assert (zero, same, other) == (0, one, -one)


@pytest.mark.parametrize("place", range(3))
def test_zeros_alone(place: int) -> None:
    given = [np.ones((1, 2, 1, 1)), np.ones((1, 1, 1)), np.ones((1, 1, 1, 1))]
    given[place] = given[place] * 0
    found = Rounded.of(*given, 16)
    assert not (found.vectors, found.random_filters, found.filters)[place].any()
