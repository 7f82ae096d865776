import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from mercuric import data
from mercuric.data import image_folder, photos
from mercuric.errors import MercuricError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The seven photographs themselves: two classes to train on and to test on."""
    files = {photo.name: photos.location(photo) for photo in photos.PHOTOGRAPHS}
    layout = {
        "train/things": ("coffee", "rocket", "motorcycle"),
        "train/alive": ("chelsea", "astronaut"),
        "test/things": ("china",),
        "test/alive": ("flower",),
    }
    for folder, chosen in layout.items():
        (tmp_path / folder).mkdir(parents=True)
        for name in chosen:
            shutil.copy(files[name], tmp_path / folder)
    return tmp_path


def test_classes_labels_and_shapes(root: Path) -> None:
    loaded = data.load("imagefolder", root)
    assert loaded.classes == ("alive", "things")
    assert (len(loaded.train), len(loaded.test), loaded.image_size) == (5, 2, 224)
    images, labels = loaded.train.batch(torch.arange(5))
    assert images.shape == (5, 3, 224, 224)
    assert images.dtype == torch.float32
    assert labels.tolist() == [0, 0, 1, 1, 1]


def test_the_shorter_side_is_resized_and_the_centre_kept(root: Path) -> None:
    path = root / "test" / "alive" / "flower.jpg"
    with Image.open(path) as file:
        width, height = file.size
    whole = image_folder.read_image(path, height)
    left = (width - height) // 2
    with Image.open(path) as file:
        centre = file.convert("RGB").crop((left, 0, left + height, height))
    expected = torch.tensor(list(centre.tobytes()), dtype=torch.uint8).view(height, height, 3)
    difference = (whole.permute(1, 2, 0).int() - expected.int()).abs().float().mean()
    assert difference < 4  # the centre may lie half a pixel off
    assert image_folder.read_image(path, 50).shape == (3, 50, 50)


def test_batches_are_normalised_and_reproducible(root: Path) -> None:
    test = data.load("imagefolder", root, 64).test
    images, _ = test.batch(torch.tensor([1]))
    stored = image_folder.read_image(root / "test" / "things" / "china.jpg", 64) / 255
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    assert torch.allclose(images[0], (stored - mean.view(3, 1, 1)) / deviation.view(3, 1, 1), atol=1e-5)
    first, second = (test.batch(torch.arange(2), torch.Generator().manual_seed(3))[0] for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, test.batch(torch.arange(2))[0])


def test_val_stands_for_test(root: Path) -> None:
    (root / "test").rename(root / "val")
    assert len(data.load("imagefolder", root).test) == 2


def test_an_empty_batch(root: Path) -> None:
    images, labels = data.load("imagefolder", root, 8).train.batch(torch.tensor([], dtype=torch.int64))
    assert images.shape == (0, 3, 8, 8)
    assert labels.shape == (0,)


@pytest.mark.parametrize("kept", [0, 10, 5000])
def test_a_corrupted_image_is_named_when_it_is_asked_for(root: Path, kept: int) -> None:
    path = root / "test" / "alive" / "flower.jpg"
    path.write_bytes(path.read_bytes()[:kept])
    test = data.load("imagefolder", root).test
    assert test.batch(torch.tensor([1]))[0].shape == (1, 3, 224, 224)
    with pytest.raises(MercuricError, match=f"{path} cannot be read as an image .*; replace or remove it"):
        test.batch(torch.tensor([0, 1]))


def test_different_classes_are_named(root: Path) -> None:
    (root / "test" / "things").rename(root / "test" / "objects")
    with pytest.raises(MercuricError, match="must have the same classes, but differ in objects, things"):
        data.load("imagefolder", root)


@pytest.mark.parametrize("missing", ["train", "test"])
def test_a_missing_part_is_named_with_the_layout(root: Path, missing: str) -> None:
    shutil.rmtree(root / missing)
    assert not image_folder.present(root)
    with pytest.raises(
        MercuricError, match=rf"{root / missing} is missing; an image folder holds train/CLASS/"
    ):
        data.load("imagefolder", root)


def test_a_part_without_classes_and_a_class_without_images_are_named(root: Path) -> None:
    (root / "train" / "alive" / "chelsea.png").unlink()
    (root / "train" / "alive" / "astronaut.png").unlink()
    with pytest.raises(MercuricError, match=f"{root / 'train' / 'alive'} holds no image"):
        data.load("imagefolder", root)
    shutil.rmtree(root / "train")
    (root / "train").mkdir()
    with pytest.raises(MercuricError, match=f"{root / 'train'} holds no folder of a class"):
        data.load("imagefolder", root)


@pytest.mark.parametrize("image_size", [0, -224])
def test_an_impossible_size_is_refused(root: Path, image_size: int) -> None:
    with pytest.raises(ValueError, match=f"image_size was {image_size}, but it must be a positive"):
        data.load("imagefolder", root, image_size)
