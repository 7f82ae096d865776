import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric import data
from mercuric.studies.similarity.unique_vectors import (
    drawn_vectors,
    found,
    photograph_windows,
    unique_vectors,
)


def photograph() -> torch.Tensor:
    images, _ = data.load("photos").train.batch(torch.arange(1))
    return images[0]


@given(st.integers(0, 2**31), st.sampled_from([0.0, 0.01, 0.1]))
@settings(max_examples=20, deadline=None)
def test_ten_vectors_and_ten_similar_ones_of_each(seed: int, epsilon: float) -> None:
    vectors = drawn_vectors(epsilon, seed)
    assert vectors.shape == (110, 10)
    similar = vectors[10:].view(10, 10, 10)
    assert float((similar - vectors[:10, None]).abs().max()) <= 6 * epsilon
    assert len(vectors[:10].unique(dim=0)) == 10


@given(st.integers(0, 2**31), st.integers(1, 64))
@settings(max_examples=20, deadline=None)
def test_identical_vectors_are_never_found_twice(seed: int, bits: int) -> None:
    vectors = drawn_vectors(0.0, seed)
    for method in ("RPQ", "Bloom filter"):
        assert 1 <= found(vectors, method, bits, seed) <= min(10, 2**bits)


def test_windows_lie_in_the_photograph_and_none_is_taken_twice() -> None:
    image = photograph()
    everything = photograph_windows(image, 0, sample=10**6)
    assert len(everything) == 30 * 30
    windows = photograph_windows(image, 1, sample=50)
    assert windows.shape == (50, 9)
    matches = (windows[:, None] == everything[None]).all(-1)
    assert bool(matches.any(1).all())
    whole = everything.unique(dim=0)
    assert len(whole) == len(image[0].unfold(0, 3, 1).unfold(1, 3, 1).reshape(-1, 9).unique(dim=0))


def test_long_signatures_find_the_ten_and_short_ones_do_not() -> None:
    told: list[tuple[int, int]] = []
    table = unique_vectors(photograph(), 3, (1, 32), lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len(table) == 4 * 2 * 2
    close = table[(table["vectors"] == "random") & (table["epsilon"] == 0.001)].set_index(["method", "bits"])
    assert (close["known"] == 10).all()
    for method in ("RPQ", "Bloom filter"):
        assert close.loc[(method, 1), "unique"] <= 2
        assert close.loc[(method, 32), "unique"] == pytest.approx(10, abs=2)
    windows = table[table["vectors"] == "photograph"]
    assert (windows["unique"] <= windows["known"]).all()
    assert (windows["known"] <= windows["of"]).all()


def test_one_draw_has_no_spread() -> None:
    assert (unique_vectors(photograph(), draws=1, lengths=(8,))["spread"] == 0).all()
