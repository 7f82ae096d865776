import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from mercuric import data
from mercuric.data.augmentation import augment

PHOTOS = data.load("photos").train


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def possible(image: Tensor) -> list[Tensor]:
    """All 162 images that ``augment`` may make of one, the slow way."""
    height, width = image.shape[1:]
    around = F.pad(image, (4, 4, 4, 4))
    crops = [around[:, i : i + height, j : j + width] for i in range(9) for j in range(9)]
    return crops + [crop.flip(2) for crop in crops]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 3199), st.integers(0, 2**31))
def test_an_augmented_image_is_a_shifted_or_flipped_one(index: int, seed: int) -> None:
    images = PHOTOS.images[index : index + 1, :, :30, :]
    made = augment(images, seeded(seed))
    assert made.dtype == torch.uint8
    assert any(torch.equal(made[0], candidate) for candidate in possible(images[0]))


def test_every_shift_and_both_directions_occur() -> None:
    image = PHOTOS.images[0]
    made = augment(image.expand(3000, -1, -1, -1), seeded(0))
    assert len(made.flatten(1).unique(dim=0)) == len(possible(image))


def test_it_depends_on_the_generator_alone() -> None:
    indices = torch.arange(32)
    torch.manual_seed(1)
    first, _ = PHOTOS.batch(indices, seeded(7))
    torch.manual_seed(2)
    before = torch.get_rng_state()
    second, _ = PHOTOS.batch(indices, seeded(7))
    assert torch.equal(first, second)
    assert torch.equal(before, torch.get_rng_state())
    assert not torch.equal(first, PHOTOS.batch(indices, seeded(8))[0])


def test_without_a_generator_images_are_as_stored() -> None:
    indices = torch.tensor([5, 0, 5])
    images, labels = PHOTOS.batch(indices)
    mean, deviation = (
        torch.tensor(x).view(3, 1, 1) for x in (PHOTOS.normalisation.mean, PHOTOS.normalisation.deviation)
    )
    restored = (images * deviation + mean) * 255
    assert torch.equal(restored.round().to(torch.uint8), PHOTOS.images[indices])
    assert labels.tolist() == [5, 0, 5]
