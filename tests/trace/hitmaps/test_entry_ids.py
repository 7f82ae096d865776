import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mercuric.similarity import Hitmap, MCache
from mercuric.trace.hitmaps.entry_ids import entry_ids, hitmap_of, reference_entry_ids


def sequential_lines(signatures: list[list[int]], cache: MCache) -> list[list[int]]:
    """Fig. 9: each signature takes the first free way of its set; a full set's first line stands for it."""
    lines = []
    for scope in signatures:
        ways: dict[int, list[int]] = {}
        lines.append([])
        for signature in scope:
            cache_set = 0 if cache.sets is None else signature % cache.sets
            held = ways.setdefault(cache_set, [])
            if signature not in held and (cache.sets is None or len(held) < cache.ways):
                held.append(signature)
            way = held.index(signature) if signature in held else 0
            lines[-1].append(way if cache.sets is None else cache_set * cache.ways + way)
    return lines


@st.composite
def accesses(draw: st.DrawFn) -> tuple[list[list[int]], MCache]:
    ways = draw(st.integers(1, 4))
    entries = draw(st.one_of(st.none(), st.integers(1, 4).map(lambda sets: sets * ways)))
    vectors = draw(st.integers(0, 24))
    scope = st.lists(st.integers(-20, 20), min_size=vectors, max_size=vectors)
    return draw(st.lists(scope, min_size=1, max_size=3)), MCache(entries, ways)


def looked_up(signatures: list[list[int]], cache: MCache) -> tuple[Hitmap, Tensor | None]:
    words = torch.tensor(signatures, dtype=torch.int64).reshape(len(signatures), -1)
    return cache.access(words), None if cache.sets is None else words % cache.sets


@given(accesses())
@settings(max_examples=80, deadline=None)
def test_ids_are_the_lines_of_a_sequential_mcache(drawn: tuple[list[list[int]], MCache]) -> None:
    signatures, cache = drawn
    hitmap, cache_sets = looked_up(signatures, cache)
    ids = entry_ids(hitmap, cache_sets, cache)
    assert ids.tolist() == sequential_lines(signatures, cache)
    assert np.array_equal(ids, reference_entry_ids(hitmap, cache_sets, cache))


@given(accesses())
@settings(max_examples=80, deadline=None)
def test_representatives_come_back(drawn: tuple[list[list[int]], MCache]) -> None:
    signatures, cache = drawn
    hitmap, cache_sets = looked_up(signatures, cache)
    back, sets = hitmap_of(hitmap.states.numpy(), entry_ids(hitmap, cache_sets, cache), cache)
    assert torch.equal(back.states, hitmap.states)
    assert torch.equal(back.representatives, hitmap.representatives)
    assert (sets is None) == (cache_sets is None)
    assert sets is None or cache_sets is None or torch.equal(sets, cache_sets)


def hitmap(states: list[int], representatives: list[int]) -> Hitmap:
    return Hitmap(torch.tensor([states], dtype=torch.uint8), torch.tensor([representatives]))


@pytest.mark.parametrize(
    ("states", "representatives", "sets", "sentence"),
    [
        ([0], [0], [0], "hitmap was HIT at vector 0 of scope 0"),
        ([1, 0], [0, 1], [0, 0], "hitmap was HIT at vector 1 of scope 0"),
        ([1, 0], [0, 0], [0, 1], "hitmap was HIT at vector 1 of scope 0"),
        ([1, 1], [0, 0], [0, 0], "hitmap was MAU at vector 1 of scope 0"),
        ([1, 1, 1], [0, 1, 2], [1, 1, 1], "hitmap was MAU at vector 2 of scope 0"),
        ([2], [0], [0], "hitmap was MNU at vector 0 of scope 0"),
        ([1], [0], [2], "hitmap was MAU at vector 0 of scope 0"),
        ([3], [0], [0], "hitmap was 3 at vector 0 of scope 0, but must be what MCache"),
    ],
)
def test_hitmaps_that_no_mcache_gives(
    states: list[int], representatives: list[int], sets: list[int], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        entry_ids(hitmap(states, representatives), torch.tensor([sets]), MCache(4, 2))


@pytest.mark.parametrize(
    ("states", "ids"),
    [([0], [0]), ([1], [1]), ([1, 1], [0, 0]), ([2], [0]), ([1, 1, 2], [0, 1, 1]), ([1], [4]), ([3], [0])],
)
def test_lines_that_no_mcache_has(states: list[int], ids: list[int]) -> None:
    with pytest.raises(ValueError, match=r"entry id was .* can't be in MCache"):
        hitmap_of(np.array([states], dtype=np.uint8), np.array([ids]), MCache(4, 2))


def test_the_sets_must_be_known() -> None:
    with pytest.raises(ValueError, match="cache_sets was None, but must say which of the 2 sets"):
        entry_ids(hitmap([1], [0]), None, MCache(4, 2))
