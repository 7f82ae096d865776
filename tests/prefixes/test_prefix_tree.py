"""Is a batch's tree what its definition says?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercuric.prefixes.tree import PrefixTree, allowed, distinct_prefixes, prefix_tree


@st.composite
def batches(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]:
    shape = draw(st.integers(1, 6)), draw(st.integers(1, 16))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    tokens = rng.integers(0, draw(st.integers(1, 3)), shape)
    seen = rng.random(shape) < draw(st.sampled_from([0.5, 0.9, 1.0]))
    positions = rng.integers(0, 2, shape).cumsum(1) if draw(st.booleans()) else None
    wanted = rng.random(shape) < draw(st.sampled_from([0.1, 0.5])) if draw(st.booleans()) else None
    return tokens, seen, positions, wanted


@given(batches())
def test_a_node_stands_for_equal_prefixes_and_sees_what_they_see(batch: tuple) -> None:
    tokens, seen, positions, wanted = batch
    tree = prefix_tree(tokens, seen, positions, wanted)
    sights = allowed(tree.end, tree.seen)
    places = np.zeros(tokens.shape, dtype=int) if positions is None else positions
    nodes: dict[tuple, int] = {}
    for row, column in np.ndindex(*tokens.shape):
        node = int(tree.where[row, column])
        if node < 0:
            assert wanted is not None and not wanted[row, column]
            continue
        path = zip(tokens[row], seen[row], places[row], strict=True)
        prefix = tuple(
            tuple(int(part) for part in one) for _, one in zip(range(column + 1), path, strict=False)
        )
        assert nodes.setdefault(prefix, node) == node
        assert tree.seen[node] == seen[row, column]
        assert tokens[tree.rows[node], tree.columns[node]] == tokens[row, column]
        before = [int(tree.where[row, place]) for place in range(column + 1) if seen[row, place]]
        assert sights[node].nonzero()[0].tolist() == before
    assert sorted(set(nodes.values())) == list(range(len(tree))) and len(nodes) == len(tree)
    assert tree.blind == (~sights.any(1)).any()
    if wanted is None:
        assert distinct_prefixes(tokens, seen, positions) == len(tree)


@given(batches())
def test_no_node_is_kept_that_nobody_needs(batch: tuple) -> None:
    tokens, seen, positions, wanted = batch
    if wanted is None:
        return
    tree = prefix_tree(tokens, seen, positions, wanted)
    asked = set(tree.where[wanted].tolist())
    sights = allowed(tree.end, tree.seen)
    read = set().union(asked, *(sights[node].nonzero()[0].tolist() for node in asked))
    assert read == set(range(len(tree)))


def shape_of(tree: PrefixTree) -> list[list[int]]:
    return tree.where.tolist()


@pytest.mark.parametrize(
    ("tokens", "seen", "where"),
    [
        ([[5, 6, 7], [5, 6, 8]], None, [[0, 1, 2], [0, 1, 3]]),
        ([[5, 6, 8], [4, 6, 8], [5, 6, 8]], None, [[3, 4, 5], [0, 1, 2], [3, 4, 5]]),
        ([[5, 6, 7], [5, 6, 7]], [[1, 1, 1], [1, 0, 1]], [[0, 3, 4], [0, 1, 2]]),
    ],
    ids=["a branch", "a copy", "another mask"],
)  # fmt: skip
def test_small_trees(tokens: list, seen: list | None, where: list) -> None:
    ids = np.array(tokens)
    mask = np.ones(ids.shape, dtype=bool) if seen is None else np.array(seen, dtype=bool)
    assert shape_of(prefix_tree(ids, mask)) == where
