import shutil
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path

import pytest
import torch
from PIL import Image
from small_packages import Apt, png

from mercuric.data import debian_pictures, picture_archive
from mercuric.data.debian_pictures import Archive, Found
from mercuric.data.normalisation import Normalisation
from mercuric.data.picture_archive import ArchiveSplit
from mercuric.data.split import ImageData
from mercuric.errors import MercuricError
from mercuric.progress import silent

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")
NORMALISATION = Normalisation((0.5,) * 3, (0.5,) * 3)


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apt:
    return Apt(tmp_path / "apt", monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "small"


def found(roots: Mapping[str, Path]) -> list[Found]:
    """The class is the folder, the family the name to its first dash."""
    paths = sorted(path for root in roots.values() for path in root.glob("pictures/*/*.png"))
    return [
        Found(
            f"{path.parent.name}/{path.name}", path.parent.name, path.name.partition("-")[0], path.read_bytes
        )
        for path in paths
    ]


def fetch(
    folder: Path,
    pictures: Callable[[Mapping[str, Path]], Sequence[Found]] = found,
    packages: tuple[str, ...] = ("small",),
    tell: Callable[[int, int, str, str], object] = silent,
) -> str:
    versions = dict.fromkeys(packages, "1")
    return debian_pictures.fetch("small", folder, versions, [Archive("small.zip", 48, pictures)], tell)


def load(folder: Path) -> ImageData:
    return picture_archive.load(folder / "small.zip", "small", 48, NORMALISATION, "mend it")


def names(split: object) -> list[str]:
    assert isinstance(split, ArchiveSplit)
    return [member.name for member in split.members]


def files(count: int = 25, first: int = 0) -> dict[str, bytes]:
    """As many pictures of each of two classes."""
    return {
        f"pictures/{group}/{number:03}-{group}.png": png(number + 100 * place)
        for place, group in enumerate("ab")
        for number in range(first, first + count)
    }


def blank() -> bytes:
    file = BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(file, "PNG")
    return file.getvalue()


def test_pictures_of_a_package_become_an_archive_that_loads(apt: Apt, folder: Path) -> None:
    apt.gives("small", files())
    said = fetch(folder)
    assert said == (
        f"{folder / 'small.zip'} holds 40 pictures to train on and 10 to test on, of 2 classes, at 48 pixels."
    )
    loaded = load(folder)
    assert loaded.classes == ("a", "b")
    assert loaded.train.labels.bincount().tolist() == [20, 20]
    assert loaded.test.labels.bincount().tolist() == [5, 5]
    every = torch.cat([split.pixels(torch.arange(len(split))) for split in (loaded.train, loaded.test)])
    assert len(every.flatten(1).unique(dim=0)) == 50


def test_fetching_again_writes_the_same_bytes(apt: Apt, folder: Path) -> None:
    apt.gives("small", files())
    contents = []
    for _ in range(2):
        fetch(folder)
        contents.append((folder / "small.zip").read_bytes())
    assert contents[0] == contents[1]
    assert [path.name for path in folder.iterdir()] == ["small.zip"]


def test_pictures_of_several_packages_are_one_data_set(apt: Apt, folder: Path) -> None:
    apt.gives("small", files())
    apt.gives("other", files(25, first=25))
    fetch(folder, packages=("small", "other"))
    assert len(load(folder).train) == 80


def test_what_is_left_out_is_counted(apt: Apt, folder: Path) -> None:
    apt.gives(
        "small",
        {
            **files(),
            "pictures/b/copy.png": png(3),
            "pictures/b/blank.png": blank(),
            "pictures/b/broken.png": png(77)[:60],
            "pictures/b/gif.png": b"GIF89a",
            "pictures/b/wide.png": png(78, width=2049),
            "pictures/few/0-few.png": png(500),
        },
    )
    said = fetch(folder)
    assert "holds 40 pictures to train on and 10 to test on, of 2 classes" in said
    for reason in (
        "1 equal to another",
        "1 unreadable",
        "1 no PNG image",
        "1 larger than 2,048 pixels",
        "1 white",
        "1 of classes that are too small",
    ):
        assert reason in said.partition("Left out: ")[2]


def test_families_stay_together_and_equal_pictures_are_in_one_part(apt: Apt, folder: Path) -> None:
    related = {
        f"pictures/{group}/{number // 5}-{number}.png": png(number + 100 * place)
        for place, group in enumerate("ab")
        for number in range(50)
    }
    apt.gives("small", {**related, "pictures/b/copy-0.png": png(0)})
    fetch(folder)
    train, test = (names(split) for split in (load(folder).train, load(folder).test))
    families = [{name.partition("-")[0] for name in part} for part in (train, test)]
    assert not families[0] & families[1]
    assert len(train) + len(test) == 100


def test_a_class_of_one_family_has_nothing_to_test_on_and_is_left_out(apt: Apt, folder: Path) -> None:
    alone = {f"pictures/alone/same-{number}.png": png(500 + number) for number in range(30)}
    apt.gives("small", {**files(), **alone})
    assert "Left out: 30 of classes that are too small" in fetch(folder)
    assert load(folder).classes == ("a", "b")


def test_another_version_is_said(apt: Apt, folder: Path) -> None:
    apt.gives("small", files(), version="2:3.4-5")
    assert fetch(folder).endswith("small 2:3.4-5 came, but the documentation's numbers are of 1.")


def test_progress_goes_from_the_first_picture_to_the_last(apt: Apt, folder: Path) -> None:
    apt.gives("small", files())
    told: list[tuple[int, int]] = []
    fetch(folder, tell=lambda done, total, *_: told.append((done, total)))
    assert told == [(done, 50) for done in range(51)]


def test_a_package_without_such_pictures_is_named_and_writes_nothing(apt: Apt, folder: Path) -> None:
    apt.gives("small", {"usr/share/doc/small": b"text"})
    with pytest.raises(
        MercuricError, match=r"^small gave no class of 20 pictures or more; copy small\.zip into"
    ):
        fetch(folder)
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("apt")
def test_a_package_that_apt_does_not_know_calls_for_apt_get_update(folder: Path) -> None:
    with pytest.raises(MercuricError, match=r"Unable to locate package small.*run `apt-get update` as root"):
        fetch(folder)


def test_a_truncated_package_is_an_error_and_leaves_the_old_archive(apt: Apt, folder: Path) -> None:
    apt.gives("small", files())
    fetch(folder)
    before = (folder / "small.zip").read_bytes()
    package = apt.folder / "small.deb"
    package.write_bytes(package.read_bytes()[:-100])
    with pytest.raises(MercuricError, match=r"`dpkg-deb -x small_1_all\.deb root` failed"):
        fetch(folder)
    assert (folder / "small.zip").read_bytes() == before


@pytest.mark.usefixtures("apt")
def test_a_folder_that_cannot_be_made_is_named_before_anything_is_fetched(folder: Path) -> None:
    folder.parent.write_text("a file where the folder should be")
    with pytest.raises(MercuricError, match=f"^{folder} cannot be written") as caught:
        fetch(folder)
    assert caught.value.exit_code == 1


def test_an_archive_that_cannot_be_written_is_named(
    apt: Apt, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt.gives("small", files())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(debian_pictures, "write", full)
    with pytest.raises(MercuricError, match=r"small\.zip cannot be written \(No space left on device\)"):
        fetch(folder)


def test_stopping_it_leaves_the_old_archive_alone(apt: Apt, folder: Path) -> None:
    apt.gives("small", files())
    fetch(folder)
    before = (folder / "small.zip").read_bytes()

    def stop(done: int, *_: object) -> None:
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(folder, tell=stop)
    assert (folder / "small.zip").read_bytes() == before
