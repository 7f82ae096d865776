import shutil
from pathlib import Path

import pytest
from small_packages import Apt, png

from mercuric import data
from mercuric.data.picture_archive import ArchiveSplit
from mercuric.errors import MercuricError

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")
LIBRARY = "usr/share/openclipart/png"


def test_the_class_is_the_folder_and_a_series_is_in_one_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [f"{first}{second}" for first in "abcde" for second in "vwxyz"]
    series = {
        f"{LIBRARY}/{folder}/deeper/{word}{number}_artist.png": png(number + 2 * place + 100 * label)
        for label, folder in enumerate(("animals", "tools", "unsorted"))
        for place, word in enumerate(words)
        for number in (0, 1)
    }
    digits = {f"{LIBRARY}/tools/{number}.png": png(900 + number) for number in range(2)}
    links = {f"{LIBRARY}/animals/linked.png": "../tools/deeper/av0_artist.png"}
    Apt(tmp_path / "apt", monkeypatch).gives("openclipart-png", {**series, **digits}, links=links)
    root = tmp_path / "data"
    assert "82 pictures to train on and 20 to test on, of 2 classes" in data.fetch("clip-art", root)
    loaded = data.load("clip-art", root)
    assert (loaded.classes, loaded.image_size) == (("animals", "tools"), 224)
    parts = []
    for split in (loaded.train, loaded.test):
        assert isinstance(split, ArchiveSplit)
        names = [member.name for member in split.members]
        assert not any("linked" in name or "unsorted" in name for name in names)
        parts.append({name.rpartition("/")[0] + name.rpartition("/")[2][:2] for name in names})
    assert not parts[0] & parts[1]


def test_what_was_not_fetched_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(MercuricError, match=r"clip-art\.zip is missing; run `mercuric data fetch clip-art`"):
        data.load("clip-art", tmp_path)


@pytest.mark.download
def test_the_real_library_gives_thousands_of_drawings(tmp_path: Path) -> None:
    assert "numbers are of" not in data.fetch("clip-art", tmp_path)
    loaded = data.load("clip-art", tmp_path)
    assert len(loaded.classes) == 17
    assert (len(loaded.train), len(loaded.test)) == (5493, 987)
