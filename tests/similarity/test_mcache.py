"""Do all MCACHE kernels say what the paper's Fig. 9 says?"""

from collections import Counter
from dataclasses import FrozenInstanceError

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from mercuric.similarity import Hitmap, HitState, MCache, random_projection, signatures
from mercuric.similarity.mcache_tensor import access_tensor

HIT, MAU, MNU = HitState.HIT, HitState.MAU, HitState.MNU
LOWEST, HIGHEST = -(2**63), 2**63 - 1


def all_kernels(cache: MCache, tags: Tensor) -> list[Hitmap]:
    return [cache.access(tags), access_tensor(tags, cache.sets, cache.ways), cache.reference_access(tags)]


def look_up(scope: list[list[int]], sets: int | None, ways: int) -> list[tuple[HitState, int]]:
    """Each vector against every one before it: no data structure, only the words of the definition."""
    outcome: list[tuple[HitState, int]] = []
    for vector, tag in enumerate(scope):
        stored = [earlier for earlier in range(vector) if outcome[earlier][0] == MAU]
        same = [earlier for earlier in stored if scope[earlier] == tag]
        rivals = [e for e in stored if sets and scope[e][0] % sets == tag[0] % sets]
        if same:
            outcome.append((HIT, same[0]))
        else:
            outcome.append((MNU if sets and len(rivals) == ways else MAU, vector))
    return outcome


@st.composite
def accesses(draw: st.DrawFn) -> tuple[MCache, Tensor]:
    ways = draw(st.integers(1, 4))
    sets = draw(st.sampled_from([None, 1, 2, 3, 4, 5, 8]))
    scopes, vectors = draw(st.integers(0, 4)), draw(st.integers(0, 40))
    words = draw(st.sampled_from([1, 2]))
    values = draw(
        st.lists(
            st.one_of(st.integers(-12, 12), st.sampled_from([LOWEST, LOWEST + 1, HIGHEST, 2**62])),
            min_size=1,
            max_size=12,
        )
    )
    count = scopes * vectors * words
    flat = draw(st.lists(st.sampled_from(values), min_size=count, max_size=count))
    shape = (scopes, vectors) if words == 1 else (scopes, vectors, 2)
    return MCache(None if sets is None else sets * ways, ways), torch.tensor(flat).long().view(shape)


@settings(max_examples=300, deadline=None)
@given(accesses())
@example((MCache(2, 1), torch.tensor([[[4, 1], [4, 2], [4, 1], [5, 1], [4, 2]]])))
@example((MCache(None), torch.tensor([[[4, 1], [4, 2], [4, 1], [5, 1], [4, 2]]])))
@example((MCache(3, 1), torch.tensor([[-1, 2, -4, 5, -1, LOWEST, HIGHEST]])))
def test_every_kernel_gives_the_hitmap_of_the_definition(drawn: tuple[MCache, Tensor]) -> None:
    cache, tags = drawn
    scopes, vectors = tags.shape[:2]
    signatures_of = [[[tag] if tags.dim() == 2 else tag for tag in scope] for scope in tags.tolist()]
    outcome = [look_up(scope, cache.sets, cache.ways) for scope in signatures_of]
    states = torch.tensor([[state for state, _ in scope] for scope in outcome], dtype=torch.uint8)
    owners = torch.tensor([[owner for _, owner in scope] for scope in outcome], dtype=torch.int64)
    for hitmap in all_kernels(cache, tags):
        assert (hitmap.states.dtype, hitmap.representatives.dtype) == (torch.uint8, torch.int64)
        assert torch.equal(hitmap.states, states.view(scopes, vectors))
        assert torch.equal(hitmap.representatives, owners.view(scopes, vectors))


@settings(max_examples=200, deadline=None)
@given(accesses(), st.integers(0, 99))
def test_vectors_that_are_alone_are_neither_found_nor_stored(drawn: tuple[MCache, Tensor], seed: int) -> None:
    cache, tags = drawn
    scopes, vectors = tags.shape[:2]
    generator = torch.Generator().manual_seed(seed)
    context = torch.randint(-2, 2, (scopes, vectors), generator=generator)
    alone = context < 0
    of_definition = cache.reference_access(tags, context)
    words = tags[..., None] if tags.dim() == 2 else tags
    three_words = torch.cat([words, context[..., None]], -1)
    for hitmap in (cache.access(tags, context), access_tensor(three_words, cache.sets, cache.ways, alone)):
        assert torch.equal(hitmap.states, of_definition.states)
        assert torch.equal(hitmap.representatives, of_definition.representatives)
    own = torch.arange(vectors).expand(scopes, vectors)
    assert torch.equal(of_definition.representatives[alone], own[alone])
    assert bool((of_definition.states[alone] == MNU).all())
    for scope in range(scopes):
        others = ~alone[scope]
        kept = cache.reference_access(tags[scope, others][None], context[scope, others][None])
        assert torch.equal(of_definition.states[scope, others], kept.states[0])


@settings(max_examples=100, deadline=None)
@given(accesses())
def test_what_holds_of_every_hitmap(drawn: tuple[MCache, Tensor]) -> None:
    cache, tags = drawn
    hitmap = cache.access(tags)
    assert torch.equal(hitmap.hits, hitmap.states == 0)
    for scope in range(len(tags)):
        states, owners = hitmap.states[scope].tolist(), hitmap.representatives[scope].tolist()
        for vector, (state, owner) in enumerate(zip(states, owners, strict=True)):
            if state == HIT:
                assert owner < vector
                assert states[owner] == MAU
                assert torch.equal(tags[scope, owner], tags[scope, vector])
            else:
                assert owner == vector
        if cache.sets is None:
            assert MNU not in states
            continue
        low = (tags[scope] if tags.dim() == 2 else tags[scope, :, 0]).tolist()
        filled = Counter(tag % cache.sets for tag, state in zip(low, states, strict=True) if state == MAU)
        assert max(filled.values(), default=0) <= cache.ways
        alone = cache.access(tags[scope : scope + 1])
        assert torch.equal(alone.states[0], hitmap.states[scope])
        assert torch.equal(alone.representatives[0], hitmap.representatives[scope])


def test_a_small_example_after_figure_9() -> None:
    """Two sets (even and odd) of two ways: 4 and 6 fill the even set, so 8 stays outside for good."""
    tags = torch.tensor([[4, 7, 4, 6, 8, 8, 7, 6, 9, 4]])
    for hitmap in all_kernels(MCache(entries=4, ways=2), tags):
        assert hitmap.states.tolist() == [[MAU, MAU, HIT, MAU, MNU, MNU, HIT, HIT, MAU, HIT]]
        assert hitmap.representatives.tolist() == [[0, 1, 0, 3, 4, 5, 1, 3, 8, 0]]


def test_direct_mapped_and_unlimited() -> None:
    tags = torch.tensor([[4, 6, 4, 6]])
    for hitmap in all_kernels(MCache(entries=2, ways=1), tags):
        assert hitmap.states.tolist() == [[MAU, MNU, HIT, MNU]]
    for hitmap in all_kernels(MCache(entries=None, ways=1), tags):
        assert hitmap.states.tolist() == [[MAU, MAU, HIT, HIT]]


@pytest.mark.parametrize("cache", [MCache(), MCache(96, 8), MCache(64, 1), MCache(None)])
@pytest.mark.parametrize("bits", [20, 70])
def test_signatures_of_photographs(photographs: Tensor, cache: MCache, bits: int) -> None:
    windows = torch.nn.functional.unfold(photographs.view(-1, 1, 32, 32), 3).transpose(1, 2)
    tags = signatures(windows, random_projection(9, bits))
    compiled, tensor, reference = all_kernels(cache, tags)
    for other in (tensor, reference):
        assert torch.equal(compiled.states, other.states)
        assert torch.equal(compiled.representatives, other.representatives)
    assert set(compiled.states.unique().tolist()) == ({HIT, MAU} if cache.sets is None else {HIT, MAU, MNU})


@pytest.mark.parametrize("cache", [MCache(8, 2), MCache(None)])
def test_threads_share_the_scopes_out(cache: MCache) -> None:
    tags = torch.randint(0, 9, (11, 30), generator=torch.Generator().manual_seed(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: 4)
        assert torch.equal(cache.access(tags).states, cache.reference_access(tags).states)


@pytest.mark.parametrize("cache", [MCache(), MCache(None)])
@pytest.mark.parametrize("word", [0, 1])
def test_many_signatures_that_agree_in_one_word(cache: MCache, word: int) -> None:
    tags = torch.randint(-500, 500, (2, 2000, 2), generator=torch.Generator().manual_seed(0))
    tags[..., word] = -3
    compiled, *others = all_kernels(cache, tags)
    for other in others:
        assert torch.equal(compiled.states, other.states)
        assert torch.equal(compiled.representatives, other.representatives)


def test_signatures_that_are_not_contiguous() -> None:
    tags = torch.randint(0, 9, (2, 30, 5), generator=torch.Generator().manual_seed(0)).permute(2, 1, 0)
    for cache in (MCache(8, 2), MCache(None)):
        assert torch.equal(cache.access(tags).states, cache.reference_access(tags).states)


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 0), (0, 5, 2), (3, 0, 2)])
@pytest.mark.parametrize("cache", [MCache(), MCache(None)])
def test_nothing_to_look_up(shape: tuple[int, ...], cache: MCache) -> None:
    for hitmap in all_kernels(cache, torch.empty(shape, dtype=torch.int64)):
        assert hitmap.states.shape == hitmap.representatives.shape == shape[:2]
        assert (hitmap.states.dtype, hitmap.representatives.dtype) == (torch.uint8, torch.int64)


def test_sets() -> None:
    assert (MCache().sets, MCache(None).sets, MCache(6, 2).sets) == (64, None, 3)
    with pytest.raises(FrozenInstanceError):
        MCache().ways = 2  # type: ignore[misc]


@pytest.mark.parametrize("entries", [100, 0, -16, 8])
def test_entries_that_make_no_sets(entries: int) -> None:
    sentence = rf"^entries was {entries}, but must be a positive multiple of ways \(16\) or None$"
    with pytest.raises(ValueError, match=sentence):
        MCache(entries, 16)


@pytest.mark.parametrize("ways", [0, -1])
def test_ways_that_make_no_set(ways: int) -> None:
    with pytest.raises(ValueError, match=rf"^ways was {ways}, but a set has at least 1 way$"):
        MCache(None, ways)


@pytest.mark.parametrize("shape", [(5,), (2, 3, 1), (2, 3, 3), (1, 2, 3, 2), ()])
def test_signatures_of_the_wrong_shape(shape: tuple[int, ...]) -> None:
    tags = torch.zeros(shape, dtype=torch.int64)
    for look in (MCache().access, MCache().reference_access):
        with pytest.raises(
            ValueError, match=r"^signatures had shape \(.*\), but must be \(scopes, vectors\)"
        ):
            look(tags)


@pytest.mark.parametrize("dtype", [torch.int32, torch.float32, torch.uint8])
def test_signatures_of_the_wrong_dtype(dtype: torch.dtype) -> None:
    for look in (MCache().access, MCache().reference_access):
        with pytest.raises(ValueError, match=rf"^signatures were {dtype}, but the MCACHE takes int64 words$"):
            look(torch.zeros(2, 3, dtype=dtype))
