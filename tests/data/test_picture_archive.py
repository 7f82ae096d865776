from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image
from small_packages import png
from torch import Tensor
from torch.utils.data import DataLoader

from mercuric.data import picture_archive
from mercuric.data.centred import decoded, fingerprints, square
from mercuric.data.normalisation import Normalisation
from mercuric.data.picture_archive import SIDES, ArchiveSplit, Entry, Index
from mercuric.data.split import ImageData
from mercuric.errors import MercuricError

MEND = "run `mercuric data fetch small`"
NORMALISATION = Normalisation((0.5, 0.25, 0.75), (0.1, 0.2, 0.3))


def entry(number: int, content: bytes, part: str = "train", label: int | None = None) -> Entry:
    own = number % 3 if label is None else label
    prints = fingerprints(decoded(content, "name"), SIDES)
    return Entry.model_validate({"file": f"{number}.png", "label": own, "part": part, "fingerprints": prints})


def write(path: Path, contents: dict[int, bytes], testing: tuple[int, ...] = (3, 4, 5)) -> None:
    pictures = tuple(
        entry(number, content, "test" if number in testing else "train")
        for number, content in contents.items()
    )
    index = Index(packages={"small": "1"}, classes=("a", "b", "c"), pictures=pictures)
    picture_archive.write(path, index, list(contents.values()))


def load(path: Path, image_size: int = 32) -> ImageData:
    return picture_archive.load(path, "small", image_size, NORMALISATION, MEND)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "small.zip", {number: png(number) for number in range(9)})
    return tmp_path / "small.zip"


def test_pictures_come_class_by_class_as_squares_about_their_centres(path: Path) -> None:
    loaded = load(path)
    assert (loaded.name, loaded.classes, loaded.channels, loaded.image_size) == (
        "small",
        ("a", "b", "c"),
        3,
        32,
    )
    assert loaded.train.labels.tolist() == [0, 0, 1, 1, 2, 2]
    expected = [square(decoded(png(number), ""), 32) for number in (0, 6, 1, 7, 2, 8)]
    pixels = loaded.train.pixels(torch.arange(6))
    assert pixels.dtype == torch.uint8
    assert np.array_equal(pixels.permute(0, 2, 3, 1).numpy(), np.stack(expected))
    assert loaded.test.labels.tolist() == [0, 1, 2]


def test_batches_are_normalised_and_varied_by_the_generator_alone(path: Path) -> None:
    split = load(path).train
    indices = torch.tensor([4, 0])
    plain, labels = split.batch(indices)
    assert labels.tolist() == [2, 0]
    assert torch.equal(plain, NORMALISATION.apply(split.pixels(indices)))
    drawn = [split.batch(indices, torch.Generator().manual_seed(1))[0] for _ in range(2)]
    assert torch.equal(*drawn)
    assert not torch.equal(drawn[0], plain)
    other = split.normalised(Normalisation((0.0,) * 3, (1.0,) * 3)).batch(indices)[0]
    assert torch.equal(other, split.pixels(indices) / 255)


def test_no_indices_are_no_pictures(path: Path) -> None:
    assert load(path).train.pixels(torch.arange(0)).shape == (0, 3, 32, 32)


def test_a_few_are_of_every_class(path: Path) -> None:
    split = load(path).train
    assert split.labels[split.few(3)].tolist() == [0, 1, 2]
    assert split.few(6).tolist() == list(range(6))
    with pytest.raises(ValueError, match="count was 7"):
        split.few(7)


def test_workers_read_side_by_side(path: Path) -> None:
    class Pictures(torch.utils.data.Dataset[Tensor]):
        split = load(path).train

        def __len__(self) -> int:
            return len(self.split)

        def __getitem__(self, index: int) -> Tensor:
            return self.split.pixels(torch.tensor([index]))[0]

    pictures = Pictures()
    read = torch.cat(list(DataLoader(pictures, batch_size=2, num_workers=2)))
    assert torch.equal(read, pictures.split.pixels(torch.arange(6)))


@pytest.mark.parametrize("image_size", [32, 47, 100, 1024])
def test_every_size_in_between_is_given(path: Path, image_size: int) -> None:
    assert load(path, image_size).test.pixels(torch.arange(3)).shape == (3, 3, image_size, image_size)


@pytest.mark.parametrize("image_size", [-1, 0, 31, 1025])
def test_an_impossible_size_is_refused(path: Path, image_size: int) -> None:
    with pytest.raises(ValueError, match=f"image_size was {image_size}, but it must be from 32 to 1024"):
        load(path, image_size)


def test_pictures_that_are_equal_at_a_size_are_there_once_and_for_training(tmp_path: Path) -> None:
    """Number 3, for testing, differs from 6, for training, outside of the middle 40 pixels alone."""
    whole = np.array(square(decoded(png(6), ""), 60))
    whole[0, 0] = 0
    cornered = _saved(whole)
    contents = {number: png(number) for number in range(9)} | {
        3: cornered,
        5: _saved(np.full((9, 9, 3), 255)),
    }
    write(tmp_path / "small.zip", contents)
    small, large = (load(tmp_path / "small.zip", size) for size in (40, 64))
    assert (len(small.train), len(small.test)) == (6, 1)
    assert (len(large.train), len(large.test)) == (6, 2)
    assert _names(small.test) == ["4.png"]
    assert _names(small.train) == _names(large.train)


def test_equal_pictures_make_equal_archives(path: Path, tmp_path: Path) -> None:
    write(tmp_path / "again.zip", {number: png(number) for number in range(9)})
    assert (tmp_path / "again.zip").read_bytes() == path.read_bytes()


def test_a_missing_archive_is_named_with_its_remedy(tmp_path: Path) -> None:
    missing = tmp_path / "small.zip"
    assert not picture_archive.present(missing)
    with pytest.raises(MercuricError, match=f"^{missing} is missing; {MEND}") as caught:
        load(missing)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("kept", [0, 100, -1])
def test_a_truncated_archive_is_named_with_its_remedy(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    assert not picture_archive.present(path) or kept == -1
    with pytest.raises(MercuricError, match=f"^{path} is damaged .*; {MEND}"):
        load(path)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    assert not picture_archive.present(tmp_path)
    with pytest.raises(MercuricError, match=f"^{tmp_path} cannot be read .*; {MEND}"):
        load(tmp_path)


def test_another_zip_is_refused(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("file", "content")
    with pytest.raises(MercuricError, match=r"other\.zip is damaged .*index\.json"):
        load(tmp_path / "other.zip")


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "validation error"),
        ('{"packages": {}, "classes": [], "pictures": []}', "no pictures to train or to test on"),
    ],
)
def test_an_index_that_is_none_is_refused(tmp_path: Path, index: str, said: str) -> None:
    with ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("index.json", index)
    with pytest.raises(MercuricError, match=rf"other\.zip is damaged \(.*{said}.*\); {MEND}"):
        load(tmp_path / "other.zip")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"file": "gone.png"}, "gone.png is not in it"),
        ({"label": 3}, "what is said of 0.png does not fit"),
        ({"label": -1}, "what is said of 0.png does not fit"),
        ({"fingerprints": ()}, "what is said of 0.png does not fit"),
    ],
)
def test_an_index_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    contents = [png(number) for number in range(2)]
    pictures = [entry(0, contents[0]), entry(1, contents[1], "test")]
    index = Index(packages={}, classes=("a", "b", "c"), pictures=tuple(pictures))
    picture_archive.write(tmp_path / "small.zip", index, contents)
    wrong = index.model_copy(update={"pictures": (pictures[0].model_copy(update=change), pictures[1])})
    with ZipFile(tmp_path / "small.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(tmp_path / "small.zip", "w") as archive:
        for name, content in (files | {"index.json": wrong.model_dump_json().encode()}).items():
            archive.writestr(name, content)
    with pytest.raises(MercuricError, match=f"is damaged \\({said}\\)"):
        load(tmp_path / "small.zip")


def test_a_picture_that_was_damaged_later_is_named(path: Path) -> None:
    split = load(path).train
    assert isinstance(split, ArchiveSplit)
    content = bytearray(path.read_bytes())
    content[split.members[0].offset + 40] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(MercuricError, match=rf"0\.png in {path} is damaged: its checksum"):
        split.pixels(torch.tensor([0]))
    path.unlink()
    with pytest.raises(MercuricError, match=f"{path} cannot be read"):
        split.pixels(torch.tensor([0]))


def _names(split: object) -> list[str]:
    assert isinstance(split, ArchiveSplit)
    return [member.name for member in split.members]


def _saved(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
