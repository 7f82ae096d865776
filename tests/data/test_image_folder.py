"""Folders of images, as notebooks, Macs and people who save disk space leave them."""

import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from mercuric import data
from mercuric.data import image_file, image_files, image_folder, photos
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
    whole = image_file.read_image(path, height)
    left = (width - height) // 2
    with Image.open(path) as file:
        centre = file.convert("RGB").crop((left, 0, left + height, height))
    expected = torch.tensor(list(centre.tobytes()), dtype=torch.uint8).view(height, height, 3)
    difference = (whole.permute(1, 2, 0).int() - expected.int()).abs().float().mean()
    assert difference < 4  # the centre may lie half a pixel off
    assert image_file.read_image(path, 50).shape == (3, 50, 50)


def test_batches_are_normalised_and_reproducible(root: Path) -> None:
    test = data.load("imagefolder", root, 64).test
    images, _ = test.batch(torch.tensor([1]))
    stored = image_file.read_image(root / "test" / "things" / "china.jpg", 64) / 255
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


def damage(root: Path) -> dict[str, str]:
    """Four files that can't be read, and what is said of each."""
    flower, coffee = root / "test" / "alive" / "flower.jpg", root / "train" / "things" / "coffee.png"
    shutil.copy(flower, flower.with_name("second.jpg"))
    flower.write_bytes(flower.read_bytes()[:5000])
    coffee.write_bytes(coffee.read_bytes()[:10])
    (root / "train" / "alive" / "empty.webp").touch()
    os.mkfifo(root / "train" / "alive" / "pipe.jpg")
    return {
        "train/alive/empty.webp": "it is empty",
        "train/alive/pipe.jpg": "it is a pipe",
        "train/things/coffee.png": "it is none of",
        "test/alive/flower.jpg": "Truncated File Read",
    }


def test_all_that_cannot_be_read_are_named_at_the_start(root: Path) -> None:
    faults = damage(root)
    with pytest.raises(MercuricError) as raised:
        data.load("imagefolder", root)
    assert str(raised.value).startswith(f"4 images of {root} can't be read (")
    assert str(raised.value).endswith(
        "remove such files, or take imagefolder-readable as data to leave them out"
    )
    for name, said in faults.items():
        assert f"{name}: {said}" in str(raised.value)


def test_all_that_cannot_be_read_are_left_out_and_counted_where_wanted(root: Path) -> None:
    faults = damage(root)
    with pytest.warns(UserWarning, match=f"4 images of {root} can't be read and are left out") as warned:
        loaded = data.load("imagefolder-readable", root)
    assert all(name in str(warned[0].message) for name in faults)
    assert loaded.skipped == 4
    assert loaded.name == "imagefolder-readable"
    assert (len(loaded.train), len(loaded.test)) == (4, 2)
    assert loaded.train.batch(torch.arange(4))[1].tolist() == [0, 0, 1, 1]
    (root / "test" / "alive" / "second.jpg").unlink()
    with pytest.raises(MercuricError, match=f"{root / 'test' / 'alive'} holds no image that can be read"):
        data.load("imagefolder-readable", root)


@pytest.mark.parametrize(("bound", "value"), [("MOST_PIXELS", 0), ("MOST_HEADERS", 0)])
def test_large_folders_are_checked_less(
    root: Path, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    path = root / "test" / "alive" / "flower.jpg"
    whole = bytearray(path.read_bytes())
    path.write_bytes(whole[:5000])
    monkeypatch.setattr(image_files, bound, value)
    if bound == "MOST_PIXELS":
        with pytest.raises(MercuricError, match=r"1 image of .* can't be read \(test/alive/flower.jpg"):
            data.load("imagefolder", root)
        return
    test = data.load("imagefolder", root).test
    assert test.batch(torch.tensor([1]))[0].shape == (1, 3, 224, 224)
    with pytest.raises(MercuricError, match=f"{path} cannot be read as an image"):
        test.batch(torch.tensor([0, 1]))


def hidden_class(root: Path) -> None:
    for part in ("train", "test"):
        for name in (".ipynb_checkpoints", "@eaDir", "__MACOSX"):
            (root / part / name).mkdir()
            shutil.copy(root / "test/alive/flower.jpg", root / part / name / "copy.jpg")


def hidden_copies(root: Path) -> None:
    for name in (".ipynb_checkpoints", "@eaDir", "__MACOSX/deep"):
        (root / "train/alive" / name).mkdir(parents=True)
        shutil.copy(root / "test/alive/flower.jpg", root / "train/alive" / name / "copy.jpg")


def resource_forks(root: Path) -> None:
    (root / "train/alive/._chelsea.png").write_bytes(b"\0\5\x16\7" + bytes(100))
    (root / "train/alive/Thumbs.db").write_bytes(b"thumbs")
    (root / "train/alive/.hidden.jpg").write_bytes(b"")


def loops(root: Path) -> None:
    for number, target in enumerate((".", "..", "../..", "../../..", "/")):
        (root / f"train/alive/loop{number}").symlink_to(target)
    (root / "train/things/back").symlink_to(root / "train/things")


@pytest.mark.parametrize("change", [hidden_class, hidden_copies, resource_forks, loops])
def test_what_is_not_the_user_s_changes_nothing(root: Path, change: Callable[[Path], None]) -> None:
    before = data.load("imagefolder", root)
    change(root)
    after = data.load("imagefolder", root)
    assert after.classes == before.classes
    for part, same in ((before.train, after.train), (before.test, after.test)):
        assert isinstance(part, image_folder.FolderSplit)
        assert isinstance(same, image_folder.FolderSplit)
        assert part.files[:2] == same.files[:2]
        assert len(part) == len(same)


def test_links_are_followed_at_any_depth(root: Path) -> None:
    (root / "elsewhere/deep").mkdir(parents=True)
    shutil.copy(root / "test/alive/flower.jpg", root / "elsewhere/deep")
    (root / "elsewhere/deep/again").symlink_to(root / "elsewhere")
    (root / "train/alive/more").symlink_to(root / "elsewhere")
    (root / "train/alive/inner").mkdir()
    (root / "train/alive/inner/file.jpg").symlink_to(root / "test/things/china.jpg")
    (root / "whole").symlink_to(root)
    assert len(data.load("imagefolder", root).train) == 7
    assert len(data.load("imagefolder", root / "whole").train) == 7


def test_names_in_any_bytes_and_any_form_of_unicode(root: Path) -> None:
    (root / "train/alive").rename(root / "train/caf\u00e9")
    (root / "test/alive").rename(root / "test/cafe\u0301")
    for part in ("train", "test"):
        (root / part / "things").rename(Path(os.fsdecode(os.fsencode(root / part) + b"/\xff")))
    loaded = data.load("imagefolder", root)
    assert loaded.classes == ("\\xff", "caf\u00e9")
    assert json.dumps(loaded.classes).encode("ascii")
    assert loaded.train.batch(torch.arange(5))[1].tolist() == [0, 0, 0, 1, 1]


def test_a_few_images_are_of_every_class(root: Path) -> None:
    train = data.load("imagefolder", root).train
    assert train.few(2).tolist() == [0, 4]
    assert train.batch(train.few(4))[1].tolist() == [0, 0, 1, 1]
    assert train.few(5).tolist() == [0, 1, 2, 3, 4]
    for count in (0, 6):
        with pytest.raises(
            ValueError, match=f"count was {count}, but must be from 1 to the 5 images there are"
        ):
            train.few(count)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_images_are_decoded_in_the_workers_of_a_loader(root: Path, start: str) -> None:
    train = data.load("imagefolder", root, 32).train
    assert isinstance(train, image_folder.FolderSplit)
    expected = train.batch(torch.arange(5))[0]
    loader = DataLoader(
        range(5),
        batch_size=5,
        collate_fn=partial(_collated, train),
        num_workers=1,
        multiprocessing_context=start,
    )
    (images,) = list(loader)
    assert torch.equal(images, expected)


def _collated(split: image_folder.FolderSplit, indices: list[int]) -> torch.Tensor:
    return split.batch(torch.tensor(indices))[0]


@pytest.mark.parametrize("kind", [str, Path])
def test_the_root_may_be_text(root: Path, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(data.load("imagefolder", kind(root)).train) == 5
    assert len(data.load_images("imagefolder", root=kind(root)).train) == 5
    assert any(row.present for row in data.describe(kind(root)) if row.name == "imagefolder")
    monkeypatch.setenv("HOME", str(root.parent))
    assert len(data.load("imagefolder", kind(f"~/{root.name}")).train) == 5


@pytest.mark.parametrize("wrong", [5, b"photos", "", ["photos"]])
def test_another_root_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"root was .*, but (must be the path of|imagefolder needs)"):
        data.load("imagefolder", wrong)
    with pytest.raises(ValueError, match=r"root was .*, but must be the path of a folder"):
        data.describe(wrong)


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


@pytest.mark.parametrize("image_size", [0, -224, 4097])
def test_an_impossible_size_is_refused(root: Path, image_size: int) -> None:
    with pytest.raises(ValueError, match=f"image_size was {image_size}, but it must be a positive"):
        data.load("imagefolder", root, image_size)
