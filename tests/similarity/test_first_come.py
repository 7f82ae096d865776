"""Does the table of first comers equal the unlimited MCACHE, vector for vector?"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mercuric.similarity import HitState, MCache
from mercuric.similarity.first_come import first_come


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 60),
    st.sampled_from([1, 2]),
    st.sampled_from([1, 2, 7, 2**62]),
    st.sampled_from([None, 0.5]),
    st.integers(0, 99),
)
def test_it_equals_the_unlimited_mcache(
    scopes: int, vectors: int, words: int, kinds: int, alone: float | None, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    signatures = torch.randint(-kinds, kinds, (scopes, vectors, words), generator=generator)
    finite = None if alone is None else torch.rand(scopes, vectors, generator=generator) > alone
    found = first_come(signatures.view(-1, words), scopes, None if finite is None else finite.view(-1))
    context = None if finite is None else finite.long() - 1
    expected = MCache(None).reference_access(signatures if words > 1 else signatures[..., 0], context)
    first = torch.arange(scopes)[:, None] * vectors
    assert torch.equal(found.source.view(scopes, vectors) - first, expected.representatives)
    inserted = (expected.states != HitState.HIT).flatten().nonzero()[:, 0]
    assert torch.equal(found.kept, inserted)
    assert torch.equal(found.kept[found.rank], found.source)


def test_vectors_may_be_none_and_lie_apart() -> None:
    assert [len(part) for part in vars(first_come(torch.zeros(0, 2, dtype=torch.int64), 1)).values()] == [
        0
    ] * 3
    drawn = torch.randint(0, 5, (12, 4), generator=torch.Generator().manual_seed(0))
    assert torch.equal(first_come(drawn[:, ::3], 3).source, first_come(drawn[:, ::3].contiguous(), 3).source)


@pytest.mark.parametrize(
    ("signatures", "scopes", "sentence"),
    [
        (torch.zeros(12, 1).long(), 5, "scopes was 5, but must be at least 1 and divide the 12 vectors"),
        (torch.zeros(12, 1).long(), 0, "scopes was 0, but must be at least 1"),
        (torch.zeros(12, 3).long(), 1, r"of shape \(12, 3\), but must be torch.int64 of shape"),
        (torch.zeros(12).long(), 1, r"of shape \(12,\), but must be"),
        (torch.zeros(12, 1), 1, "signatures was torch.float32"),
    ],
)
def test_what_is_refused(signatures: Tensor, scopes: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        first_come(signatures, scopes)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_share_scopes_out(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    signatures = torch.randint(0, 5, (7 * 10, 1), generator=torch.Generator().manual_seed(0))
    found = first_come(signatures, 7)
    expected = MCache(None).reference_access(signatures.view(7, 10))
    assert torch.equal(found.source.view(7, 10) - torch.arange(7)[:, None] * 10, expected.representatives)
