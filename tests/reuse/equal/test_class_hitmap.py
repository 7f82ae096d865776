"""What a cache without limit says of classes, against looking up each vector in turn."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.hitmap import class_hitmap
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import HitState


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 12), st.integers(1, 4), st.integers(0, 99))
def test_the_first_of_each_class_is_computed(
    scopes: int, groups: int, vectors: int, number: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(number, (scopes, vectors), generator=generator, dtype=torch.int32)
    shape = VectorShape(scopes * groups, vectors, 1, 1, 1, images=scopes)
    hitmap = class_hitmap(Classes(ids, number), shape)
    assert hitmap.states.shape == hitmap.representatives.shape == (scopes * groups, vectors)
    for scope in range(scopes * groups):
        known: dict[int, int] = {}
        for place, one in enumerate(ids[scope // groups].tolist()):
            state = HitState.HIT if one in known else HitState.MAU
            assert hitmap.states[scope, place] == state
            assert hitmap.representatives[scope, place] == known.setdefault(one, place)
