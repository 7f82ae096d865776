import shutil
from pathlib import Path

import pytest
import torch
from small_packages import Apt, png

from mercuric import data
from mercuric.data.icons import DRAWN, THEMES
from mercuric.data.picture_archive import ArchiveSplit
from mercuric.errors import MercuricError

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten names in two groups of each theme, drawn as broad as the size."""
    apt = Apt(tmp_path / "apt", monkeypatch)
    for place, (package, theme) in enumerate(THEMES.items()):
        folder = f"usr/share/icons/{theme}"
        files = {
            f"{folder}/{side}x{side}/{group}/{group}-{number}.png": png(
                number + 10 * place + 100 * label + 300 * DRAWN.index(side), side, side
            )
            for side in DRAWN
            for label, group in enumerate(("apps", "places"))
            for number in range(10)
        }
        links = {f"{folder}/48x48/apps/linked.png": "apps-1.png"}
        apt.gives(package, {**files, f"{folder}/48x48/stock/other.png": png(999)}, links=links)
    return tmp_path / "data"


def test_the_class_is_the_group_and_a_name_is_in_one_part(root: Path) -> None:
    said = data.fetch("icons", root)
    assert said.count("holds 64 pictures to train on and 16 to test on, of 2 classes") == len(DRAWN)
    assert {row.name: row.present for row in data.describe(root)}["icons"]
    loaded = data.load("icons", root)
    assert (loaded.classes, loaded.image_size) == (("apps", "places"), 64)
    parts = []
    for split in (loaded.train, loaded.test):
        assert isinstance(split, ArchiveSplit)
        parts.append({member.name.rpartition("/")[2] for member in split.members})
    assert not parts[0] & parts[1]
    assert len(parts[0]) == 16


@pytest.mark.parametrize(
    ("image_size", "drawn"), [(32, 48), (48, 48), (152, 48), (153, 256), (384, 256), (385, 512), (1024, 512)]
)
def test_icons_are_drawn_at_the_next_size(image_size: int, drawn: int, root: Path) -> None:
    data.fetch("icons", root)
    split = data.load("icons", root, image_size).train
    assert isinstance(split, ArchiveSplit)
    assert split.archive.name == f"{drawn}-pixels.zip"
    assert split.pixels(torch.tensor([0])).shape == (1, 3, image_size, image_size)


def test_what_was_not_fetched_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(MercuricError, match=r"48-pixels\.zip is missing; run `mercuric data fetch icons`"):
        data.load("icons", tmp_path)


@pytest.mark.download
def test_the_real_themes_give_hundreds_of_icons_of_each_size(tmp_path: Path) -> None:
    assert "numbers are of" not in data.fetch("icons", tmp_path)
    sizes = {side: data.load("icons", tmp_path, side) for side in DRAWN}
    assert {side: len(loaded.classes) for side, loaded in sizes.items()} == {48: 9, 256: 8, 512: 6}
    assert [(len(loaded.train), len(loaded.test)) for loaded in sizes.values()] == [
        (2017, 501),
        (747, 185),
        (472, 116),
    ]
