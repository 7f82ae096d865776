from pathlib import Path

import pytest
import torch

from mercuric import data
from mercuric.data import photos
from mercuric.data.crops import Part, crops
from mercuric.errors import MercuricError


@pytest.fixture(scope="module")
def small() -> data.ImageData:
    return data.load("photos")


def test_sizes_and_classes(small: data.ImageData) -> None:
    assert (len(small.train), len(small.test)) == (10_500, 2100)
    assert (small.channels, small.image_size, len(small.classes)) == (3, 32, 7)
    for split in (small.train, small.test):
        _, labels = split.batch(torch.arange(len(split)))
        counts = labels.bincount(minlength=7)
        assert counts.max() - counts.min() <= 1


def test_images_are_the_crops_at_their_boxes(small: data.ImageData) -> None:
    parts: tuple[tuple[Part, data.Split], ...] = (("train", small.train), ("test", small.test))
    for part, split in parts:
        for label, photograph in enumerate(photos.PHOTOGRAPHS):
            image = photos.read(photograph, 32)
            boxes = crops(image.shape[1], image.shape[2], 32, part, 5)
            expected = torch.stack([image[:, b.top : b.bottom, b.left : b.right] for b in boxes])
            assert torch.equal(split.images[label::7][:5], expected)


@pytest.mark.parametrize("image_size", [32, 224, 227])
def test_training_and_test_crops_of_every_photograph_share_no_pixel(image_size: int) -> None:
    for photograph in photos.PHOTOGRAPHS:
        _, height, width = photos.read(photograph, image_size).shape
        train, test = (torch.zeros(height, width, dtype=torch.bool) for _ in range(2))
        for seen, part in ((train, "train"), (test, "test")):
            for box in crops(height, width, image_size, part, 60):
                seen[box.top : box.bottom, box.left : box.right] = True
        assert train.any() and test.any()
        assert not (train & test).any()


def test_large_crops() -> None:
    large = data.load("photos", image_size=224)
    assert (len(large.train), len(large.test)) == (448, 98)
    images, labels = large.train.batch(torch.arange(7))
    assert images.shape == (7, 3, 224, 224)
    assert labels.tolist() == list(range(7))


def test_the_same_crops_each_time(small: data.ImageData) -> None:
    again = data.load("photos")
    everything = torch.arange(2100)
    assert torch.equal(again.test.batch(everything)[0], small.test.batch(everything)[0])


def test_training_images_have_mean_0_and_deviation_1(small: data.ImageData) -> None:
    images, _ = small.train.batch(torch.arange(10_500))
    assert images.dtype == torch.float32
    assert images.mean((0, 2, 3)) == pytest.approx([0, 0, 0], abs=1e-4)
    assert images.std((0, 2, 3), correction=0) == pytest.approx([1, 1, 1], abs=1e-4)


def test_photographs_are_enlarged_only_where_they_are_too_small() -> None:
    chelsea = next(photograph for photograph in photos.PHOTOGRAPHS if photograph.name == "chelsea")
    assert photos.read(chelsea, 224).shape == (3, 300, 451)
    _, height, width = photos.read(chelsea, 300).shape
    assert (height, width) == (400, 600)


@pytest.mark.parametrize("image_size", [0, -1, 513])
def test_an_impossible_size_is_refused(image_size: int) -> None:
    with pytest.raises(ValueError, match=f"image_size was {image_size}, but it must be from 1 to 512"):
        data.load("photos", image_size=image_size)


@pytest.mark.parametrize("package", ["skimage", "no_such_package"])
def test_a_missing_photograph_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = photos.Photograph("moonbase", package, "data/moonbase.png")
    monkeypatch.setattr(photos, "PHOTOGRAPHS", (absent,))
    assert not photos.present()
    with pytest.raises(
        MercuricError, match=rf"{Path('data/moonbase.png')} is missing .* {package}; run `pip"
    ):
        photos.load(None)
