import pytest
import torch

from mercuric import data
from mercuric.data.normalisation import measured

PHOTOS = data.load("photos").test


@pytest.mark.parametrize("wrong", [-1, 2100])
def test_an_index_outside_the_split_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match=f"indices held {wrong}, but each must be from 0 to 2099"):
        PHOTOS.batch(torch.tensor([0, wrong]))


@pytest.mark.parametrize(
    "wrong", [torch.zeros(2), torch.zeros(2, 2, dtype=torch.int64), torch.ones(2100) > 0]
)
def test_indices_that_are_no_int64_vector_are_refused(wrong: torch.Tensor) -> None:
    with pytest.raises(
        ValueError, match=r"indices was a .* but it must be a torch\.int64 tensor of one dimension"
    ):
        PHOTOS.batch(wrong)


def test_an_empty_batch() -> None:
    images, labels = PHOTOS.batch(torch.tensor([], dtype=torch.int64), torch.Generator())
    assert images.shape == (0, 3, 32, 32)
    assert labels.shape == (0,)


def test_measured_statistics_are_torchs_own() -> None:
    scaled = PHOTOS.images.double() / 255
    statistics = measured(PHOTOS.images)
    assert statistics.mean == pytest.approx(scaled.mean((0, 2, 3)).tolist(), abs=1e-6)
    assert statistics.deviation == pytest.approx(scaled.std((0, 2, 3), correction=0).tolist(), abs=1e-6)
