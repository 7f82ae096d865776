import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mercuric import data
from mercuric.similarity.bloom_filter import bloom_signatures

Bits = st.integers(1, 128)
Seeds = st.integers(0, 2**32 - 1)


def drawn(seed: int, count: int = 40, length: int = 10) -> Tensor:
    return torch.randn(count, length, generator=torch.Generator().manual_seed(seed))


def set_bits(signature: Tensor, bits: int) -> set[int]:
    words = signature.reshape(-1).tolist()
    return {bit for bit in range(bits) if words[bit // 64] >> (bit % 64) & 1}


@given(Seeds, Bits, st.integers(1, 4))
@settings(deadline=None)
def test_a_filter_has_between_one_bit_and_one_an_element_and_hash(seed: int, bits: int, hashes: int) -> None:
    for signature in bloom_signatures(drawn(seed, count=5), bits, hashes=hashes, seed=seed):
        assert 1 <= len(set_bits(signature, bits)) <= min(bits, 10 * hashes)
        assert len(set_bits(signature, 128 if bits > 64 else 64)) == len(set_bits(signature, bits))


@given(Seeds, st.sampled_from([60, 64, 128]), st.integers(1, 4))
@settings(deadline=None)
def test_a_filter_is_the_union_of_its_elements_filters(seed: int, bits: int, hashes: int) -> None:
    vector = (torch.arange(6) * 7 % 5).float()
    joined: set[int] = set()
    for position in range(6):
        # Elements that differ from the vector's own everywhere else: only the shared element's bits are in
        # all of 39 filters, where a filter is long enough that the other elements leave bits out.
        filters = [
            set_bits(bloom_signatures(other, bits, 1.0, hashes, seed), bits)
            for offset in range(1, 40)
            for other in [torch.where(torch.arange(6) == position, vector, vector + 10 * offset)]
        ]
        joined |= set.intersection(*filters)
    assert joined == set_bits(bloom_signatures(vector, bits, 1.0, hashes, seed), bits)


@given(Seeds, Bits)
@settings(deadline=None)
def test_vectors_of_the_same_levels_are_alike(seed: int, bits: int) -> None:
    levels = drawn(seed).round()
    nudged = levels + 0.49 * (2 * torch.rand(levels.shape) - 1)
    assert torch.equal(bloom_signatures(levels, bits, 1.0), bloom_signatures(nudged, bits, 1.0))


def test_long_filters_tell_random_vectors_apart_and_short_ones_do_not() -> None:
    unique = [len(bloom_signatures(drawn(3, 200), bits, 0.25).unique()) for bits in (1, 4, 64)]
    assert unique[0] == 1
    assert unique[1] <= 15
    assert unique[2] == 200


def test_the_position_of_an_element_counts() -> None:
    vectors = torch.eye(10)
    assert len(bloom_signatures(vectors, 64, hashes=3).unique()) == 10


def test_the_seed_draws_other_hash_functions() -> None:
    first, second = (bloom_signatures(drawn(0), 64, seed=seed) for seed in (0, 1))
    assert not bool((first == second).any())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_whole_levels_have_the_same_filter_in_every_dtype(dtype: torch.dtype) -> None:
    vectors = drawn(1).round()
    assert torch.equal(bloom_signatures(vectors.to(dtype), 48), bloom_signatures(vectors, 48))


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (2, 3, 5), (7,)])
@pytest.mark.parametrize(("bits", "words"), [(1, ()), (64, ()), (65, (2,)), (128, (2,))])
def test_any_shape(shape: tuple[int, ...], bits: int, words: tuple[int, ...]) -> None:
    assert bloom_signatures(torch.zeros(shape), bits).shape == (*shape[:-1], *words)


def test_windows_of_a_photograph_that_are_equal_are_alike() -> None:
    image, _ = data.load("photos").train.batch(torch.arange(1))
    windows = image[0, 0].unfold(0, 3, 1).unfold(1, 3, 1).reshape(-1, 9)
    unique, place = windows.unique(dim=0, return_inverse=True)
    assert torch.equal(bloom_signatures(windows, 64), bloom_signatures(unique, 64)[place])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"bits": 0}, "bits was 0"),
        ({"bits": 129}, "bits was 129"),
        ({"step": 0.0}, "step was 0.0"),
        ({"step": float("nan")}, "step was nan"),
        ({"hashes": 0}, "hashes was 0"),
        ({"hashes": True}, "hashes was True"),
        ({"vectors": torch.ones(2, 3, dtype=torch.int64)}, r"vectors were torch.int64 of shape \(2, 3\)"),
        ({"vectors": torch.tensor([[1.0, float("inf")]])}, "not finite"),
        ({"vectors": torch.tensor([[1.0, float("nan")]])}, "not finite"),
        ({"vectors": torch.tensor([[1e30]])}, "too large for levels of 0.5"),
    ],
)
def test_bad_input_is_named(arguments: dict[str, object], sentence: str) -> None:
    given_all = {"vectors": torch.ones(2, 3), "bits": 8, **arguments}
    with pytest.raises(ValueError, match=sentence):
        bloom_signatures(**given_all)  # type: ignore[arg-type]
