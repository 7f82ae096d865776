from pathlib import Path
from typing import Any

import pytest
import torch

from mercuric import data
from mercuric.data import cifar10
from mercuric.errors import MercuricError
from mercuric.torchvision_operators import torchvision


class PhotographsAsCifar10:
    """Real images behind the attributes of torchvision's class: the real files are 170 MB away."""

    def __init__(self, root: Path, *, train: bool, download: bool) -> None:
        photos = data.load("photos")
        split: Any = photos.train if train else photos.test
        assert root == Path("anywhere") and not download
        self.data = split.images.permute(0, 2, 3, 1).contiguous().numpy()
        self.targets = split.labels.tolist()
        self.classes = list(photos.classes)


def test_images_keep_their_pixels_labels_and_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", PhotographsAsCifar10)
    loaded = data.load("cifar10", Path("anywhere"))
    photos = data.load("photos")
    assert (len(loaded.train), len(loaded.test), loaded.channels, loaded.image_size) == (10_500, 2100, 3, 32)
    assert loaded.classes == photos.classes
    images, labels = loaded.test.batch(torch.arange(2100))
    expected, expected_labels = photos.test.batch(torch.arange(2100))
    here, there = cifar10.STATISTICS, photos.test.normalisation
    for channel in range(3):
        pixels = images[:, channel] * here.deviation[channel] + here.mean[channel]
        stored = expected[:, channel] * there.deviation[channel] + there.mean[channel]
        assert torch.allclose(pixels, stored, atol=1e-5)
    assert torch.equal(labels, expected_labels)


def test_missing_files_are_named_with_their_remedy(tmp_path: Path) -> None:
    assert not cifar10.present(tmp_path)
    where = tmp_path / "cifar-10-batches-py"
    with pytest.raises(
        MercuricError, match=f"{where} is missing, or a file .*; run `mercuric data fetch cifar10`"
    ):
        data.load("cifar10", tmp_path)


def test_files_with_another_checksum_are_never_opened(tmp_path: Path) -> None:
    where = tmp_path / "cifar-10-batches-py"
    where.mkdir()
    for name in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch", "batches.meta"):
        (where / name).write_bytes(b"not the published bytes")
    assert cifar10.present(tmp_path)
    with pytest.raises(MercuricError, match="a file in it is missing or damaged"):
        data.load("cifar10", tmp_path)


def test_a_network_failure_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    with pytest.raises(MercuricError, match=r"CIFAR-10 could not be downloaded .*; check the network"):
        data.fetch("cifar10", tmp_path)


@pytest.mark.parametrize("image_size", [0, 31, 224])
def test_an_impossible_size_is_refused(image_size: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"image_size was {image_size}, .* must be from 32 to 64"):
        data.load("cifar10", tmp_path, image_size)
