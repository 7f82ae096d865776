from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mercuric import data
from mercuric.data import text_pages
from mercuric.data.normalisation import measured
from mercuric.data.split import ImageData, InMemorySplit
from mercuric.data.text_pages import DOCUMENTS
from mercuric.errors import MercuricError


@pytest.fixture(scope="module")
def loaded() -> ImageData:
    return data.load("text-pages")


def images(split: object) -> Tensor:
    assert isinstance(split, InMemorySplit)
    return split.images


def test_four_hundred_pages_to_train_on_and_a_hundred_to_test_on(loaded: ImageData) -> None:
    assert (loaded.name, loaded.channels, loaded.image_size) == ("text-pages", 1, 256)
    assert images(loaded.train).shape == (400, 1, 256, 256)
    assert images(loaded.test).shape == (100, 1, 256, 256)
    assert loaded.train.labels.bincount().tolist() == [40] * len(DOCUMENTS)
    assert loaded.test.labels.bincount().tolist() == [10] * len(DOCUMENTS)
    assert loaded.classes == tuple(document.title for document in DOCUMENTS)


def test_no_two_pages_are_equal(loaded: ImageData) -> None:
    both = torch.cat([images(loaded.train), images(loaded.test)])
    assert len({page.numpy().tobytes() for page in both}) == len(both)


def test_pages_of_a_document_share_their_head_and_those_of_two_do_not(loaded: ImageData) -> None:
    head = images(loaded.train)[:, 0, 16:30, 14:100]
    for label in range(len(DOCUMENTS)):
        own = head[loaded.train.labels == label]
        assert (own == own[0]).all()
        assert not (head[loaded.train.labels != label] == own[0]).flatten(1).all(1).any()


def test_pixels_are_normalised_by_the_training_pages(loaded: ImageData) -> None:
    batch, labels = loaded.train.batch(torch.arange(400))
    assert torch.equal(labels, loaded.train.labels)
    assert batch.mean().abs() < 1e-3
    assert (batch.std() - 1).abs() < 1e-3
    assert isinstance(loaded.train, InMemorySplit)
    assert loaded.train.normalisation == measured(images(loaded.train))


@pytest.mark.parametrize("image_size", [128, 320])
def test_it_is_made_again_to_the_same_pixels(image_size: int) -> None:
    one, two = (data.load("text-pages", image_size=image_size) for _ in range(2))
    assert images(one.train).shape == (400, 1, image_size, image_size)
    assert torch.equal(images(one.train), images(two.train))
    assert torch.equal(images(one.test), images(two.test))


@pytest.mark.parametrize("image_size", [-1, 0, 127, 1025])
def test_an_impossible_size_is_refused(image_size: int) -> None:
    with pytest.raises(ValueError, match=f"image_size was {image_size}, but it must be from 128 to 1024"):
        data.load("text-pages", image_size=image_size)


def test_a_document_that_is_too_short_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    short = text_pages.Document("short", "torchvision", "io", text_pages.Style(11, 14))
    monkeypatch.setattr(text_pages, "DOCUMENTS", (short,))
    with pytest.raises(MercuricError, match=r"of short filled \d+ pages of 256 pixels.*must fill 50"):
        data.load("text-pages")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    missing = text_pages.Document("gone", "nowhere_installed", "", text_pages.Style(11, 14))
    monkeypatch.setattr(text_pages, "DOCUMENTS", (*DOCUMENTS[:1], missing))
    assert not {row.name: row.present for row in data.describe(tmp_path)}["text-pages"]
    with pytest.raises(MercuricError, match="nowhere_installed is not installed"):
        data.load("text-pages")


def test_equal_pages_count_once() -> None:
    one, two = np.zeros((2, 2), np.uint8), np.ones((2, 2), np.uint8)
    different = list(text_pages._different(iter([one, two, one, two])))
    assert [page.tolist() for page in different] == [one.tolist(), two.tolist()]
