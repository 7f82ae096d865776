"""Is every signature the packed signs of the vector's dot products with the projection?"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mercuric.similarity import random_projection, reference_signatures, signatures
from mercuric.similarity.rpq import ALONE, reference_sizes, signatures_and_sizes

DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


def words_one_by_one(vector: Tensor, projection: Tensor) -> list[int]:
    """The signature of one vector in plain Python: the words as signed 64-bit integers."""
    words = [0] * (1 if projection.shape[1] <= 64 else 2)
    for bit in range(projection.shape[1]):
        total = 0.0
        for element, weight in zip(vector.tolist(), projection[:, bit].tolist(), strict=True):
            total += element * weight
        words[bit // 64] += (total < 0) << (bit % 64)
    return [word - (1 << 64) if word >= 1 << 63 else word for word in words]


@st.composite
def rows_and_projections(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    length, bits = draw(st.integers(1, 70)), draw(st.integers(1, 128))
    shape = (*draw(st.lists(st.integers(0, 9), max_size=2)), length)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    projection = random_projection(length, bits, seed=draw(st.integers(0, 1000)))
    vectors = torch.randn(shape, generator=generator)
    if draw(st.booleans()):  # whole numbers: products cancel to exactly zero
        vectors, projection = vectors.round(), projection.round()
    vectors *= draw(st.sampled_from([1.0, 1e30, 1e-30]))
    rows = vectors.view(-1, length)
    rows[1::3] = 0.0
    rows[2::3] = -0.0
    return vectors.to(draw(st.sampled_from(DTYPES))), projection


@settings(max_examples=150, deadline=None)
@given(rows_and_projections())
def test_the_kernel_gives_the_bits_of_the_reference(drawn: tuple[Tensor, Tensor]) -> None:
    vectors, projection = drawn
    found = signatures(vectors, projection)
    assert found.dtype == torch.int64
    assert found.shape == vectors.shape[:-1] + ((2,) if projection.shape[1] > 64 else ())
    assert torch.equal(found, reference_signatures(vectors, projection))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bits", [1, 20, 63, 64, 65, 127, 128])
def test_both_give_the_bits_counted_by_hand(bits: int, dtype: torch.dtype) -> None:
    projection = random_projection(9, bits).round()
    vectors = torch.randn(70, 9, generator=torch.Generator().manual_seed(bits)).round().to(dtype)
    vectors[3], vectors[4] = 0.0, -0.0
    exact_zeros = (vectors.double() @ projection.double() == 0).any(-1)
    assert exact_zeros.sum() > 2  # where "negative" and "not positive" part
    expected = torch.tensor([words_one_by_one(vector, projection) for vector in vectors]).squeeze(-1)
    assert torch.equal(signatures(vectors, projection), expected)
    assert torch.equal(reference_signatures(vectors, projection), expected)


def test_vectors_longer_than_one_tile_and_more_than_one_block() -> None:
    projection = random_projection(131, 70)
    vectors = torch.randn(200, 131, generator=torch.Generator().manual_seed(0))
    expected = torch.tensor([words_one_by_one(vector, projection) for vector in vectors[-9:]])
    assert torch.equal(signatures(vectors, projection)[-9:], expected)


@settings(max_examples=150, deadline=None)
@given(rows_and_projections(), st.none() | st.integers(0, 8), st.data())
def test_what_is_not_finite_has_a_class_of_its_own(
    drawn: tuple[Tensor, Tensor], magnitude: int | None, data: st.DataObject
) -> None:
    vectors, projection = drawn
    rows = vectors.reshape(-1, vectors.shape[-1])
    beyond = st.sampled_from([float("nan"), float("inf"), float("-inf"), 3e38, -3e38])
    if len(rows):
        for _ in range(data.draw(st.integers(1, 4))):
            rows[data.draw(st.integers(0, len(rows) - 1)), 0] = torch.tensor(data.draw(beyond)).to(rows.dtype)
    _, sizes = signatures_and_sizes(rows, projection, magnitude)
    expected = reference_sizes(rows, projection, magnitude)
    assert torch.equal(torch.zeros(len(rows)).long() if sizes is None else sizes, expected)
    assert torch.equal(signatures(rows, projection), reference_signatures(rows, projection))
    assert bool((expected[~rows.isfinite().all(-1)] == ALONE).all())


def test_finite_numbers_whose_projection_overflows_have_no_size() -> None:
    vectors = torch.tensor([[1e308, 1e308], [1e300, 0.0], [0.0, 1.0]], dtype=torch.float64)
    projection = torch.tensor([[4.0, 1.0], [1.0, 1.0]])
    for magnitude in (None, 0, 3):
        _, sizes = signatures_and_sizes(vectors, projection, magnitude)
        assert torch.equal(sizes, reference_sizes(vectors, projection, magnitude))
        assert (sizes == ALONE).tolist() == [True, False, False]


def test_vectors_with_the_negative_bit() -> None:
    rows, projection = torch.randn(5, 9), random_projection(9, 20)
    assert torch.equal(signatures(torch._neg_view(rows), projection), signatures(-rows, projection))


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_a_zero_vector_has_no_negative_bit(zero: float) -> None:
    vectors = torch.full((2, 9), zero)
    assert signatures(vectors, random_projection(9, 20)).tolist() == [0, 0]
    assert reference_signatures(vectors, random_projection(9, 128)).tolist() == [[0, 0], [0, 0]]


def test_strided_and_tracked_vectors(photographs: Tensor) -> None:
    projection = random_projection(3, 20)
    pixels = photographs.permute(0, 2, 3, 1).requires_grad_()
    assert torch.equal(signatures(pixels, projection), reference_signatures(pixels.detach(), projection))


@pytest.mark.parametrize("threads", [1, 5])
def test_threads_share_the_vectors_out(threads: int, photographs: Tensor) -> None:
    projection, rows = random_projection(32, 30), photographs.reshape(-1, 32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: threads)
        assert torch.equal(signatures(rows, projection), reference_signatures(rows, projection))


@given(st.integers(1, 50), st.integers(1, 128), st.integers(1, 128), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_a_longer_signature_extends_a_shorter_one(length: int, a: int, b: int, seed: int) -> None:
    short, long = sorted((a, b))
    projection = random_projection(length, long, seed)
    assert torch.equal(projection[:, :short], random_projection(length, short, seed))
    vectors = torch.randn(20, length, generator=torch.Generator().manual_seed(seed))
    shorter, longer = (signatures(vectors, random_projection(length, n, seed)) for n in (short, long))
    for bit in range(short):
        word, place = divmod(bit, 64)
        bits = [(s if s.dim() == 1 else s[:, word]) >> place & 1 for s in (shorter, longer)]
        assert torch.equal(*bits)


def test_the_projection_is_standard_normal_and_drawn_from_its_seed() -> None:
    projection = random_projection(200, 128, seed=3)
    assert projection.dtype == torch.float32
    assert projection.shape == (200, 128)
    assert abs(projection.mean()) < 0.02
    assert abs(projection.std() - 1) < 0.02
    assert torch.equal(projection, random_projection(200, 128, seed=3))
    assert not torch.equal(projection, random_projection(200, 128, seed=4))


@pytest.mark.parametrize("bits", [0, 129, -1, True, "20", 20.0, None])
def test_bits_that_no_signature_has(bits: object) -> None:
    with pytest.raises(ValueError, match=rf"^bits was {bits!r}, but a signature has 1 to 128 bits$"):
        random_projection(9, bits)  # type: ignore[arg-type]


def test_a_length_that_no_vector_has() -> None:
    with pytest.raises(ValueError, match=r"^length was 0, but an input vector has at least 1 element$"):
        random_projection(0, 20)


@pytest.mark.parametrize("find", [signatures, reference_signatures])
def test_bad_vectors_and_projections(find: object) -> None:
    assert callable(find)
    good = random_projection(9, 20)
    with pytest.raises(
        ValueError, match=r"^projection was \(9, 20\), but vectors of shape \(5, 8\) need one"
    ):
        find(torch.ones(5, 8), good)
    with pytest.raises(ValueError, match=r"^projection was \(9,\), but"):
        find(torch.ones(5, 9), good[:, 0])
    with pytest.raises(ValueError, match=r"^projection was \(9, 20\), but vectors of shape \(\)"):
        find(torch.tensor(1.0), good)
    with pytest.raises(ValueError, match=r"^vectors were torch\.int64, but"):
        find(torch.ones(5, 9, dtype=torch.int64), good)
    with pytest.raises(ValueError, match=r"^bits was 129, but"):
        find(torch.ones(5, 9), torch.ones(9, 129))
    with pytest.raises(ValueError, match=r"^bits was 0, but"):
        find(torch.ones(5, 9), torch.ones(9, 0))
