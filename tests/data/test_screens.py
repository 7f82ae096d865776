import shutil
from pathlib import Path

import pytest
import torch
from small_packages import Apt, png

from mercuric import data
from mercuric.data.picture_archive import ArchiveSplit
from mercuric.data.split import Split
from mercuric.errors import MercuricError

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")
HELP = "usr/share/help"
EDU = "usr/share/doc/debian-edu-doc-en"
GIMP = "usr/share/gimp/2.0/help/en/images"


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apt:
    return Apt(tmp_path / "apt", monkeypatch)


def screen(number: int) -> bytes:
    return png(number, 120, 110)


def members(split: Split) -> list[str]:
    assert isinstance(split, ArchiveSplit)
    return [member.name for member in split.members]


def test_languages_of_a_screenshot_are_in_one_part_and_small_ones_and_links_are_left_out(
    apt: Apt, tmp_path: Path
) -> None:
    languages = ("C", "de", "fr")
    gnome = {
        f"{HELP}/{language}/gnome-help/figures/shell-{number}.png": screen(number + 50 * place)
        for place, language in enumerate(languages)
        for number in range(20)
    }
    apt.gives(
        "gnome-user-docs",
        {
            **gnome,
            f"{HELP}/C/gnome-help/figures/bar.png": png(3, 800, 40),
            f"{HELP}/C/system-admin-guide/figures/other.png": screen(900),
        },
        links={f"{HELP}/de/gnome-help/figures/linked.png": "shell-1.png"},
    )
    apt.gives(
        "debian-edu-doc-en",
        {
            f"{EDU}/debian-edu-bookworm-manual-images/{number}.png": screen(number + 200)
            for number in range(20)
        },
    )
    apt.gives(
        "gimp-help-en",
        {f"{GIMP}/menus/file/{number}.png": screen(number + 300) for number in range(20)}
        | {f"{GIMP}/toolbox/{number}.png": screen(number + 400) for number in range(20)},
    )
    root = tmp_path / "data"
    said = data.fetch("screens", root)
    assert "80 pictures to train on and 20 to test on, of 3 classes, at 512 pixels" in said
    assert "gnome-user-docs 1 came, but the documentation's numbers are of 43.0-2" in said
    loaded = data.load("screens", root)
    assert loaded.classes == ("debian-edu", "gimp-menus", "gnome")
    shown = [
        {name.rpartition("/")[2] for name in members(split) if name.startswith("gnome/")}
        for split in (loaded.train, loaded.test)
    ]
    assert not shown[0] & shown[1]
    assert shown[0] | shown[1] == {f"shell-{number}.png" for number in range(20)}
    assert loaded.test.pixels(torch.arange(2)).shape == (2, 3, 512, 512)


def test_what_was_not_fetched_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(MercuricError, match=r"screens\.zip is missing; run `mercuric data fetch screens`"):
        data.load("screens", tmp_path)


@pytest.mark.download
def test_the_real_manuals_give_hundreds_of_screenshots(tmp_path: Path) -> None:
    assert "numbers are of" not in data.fetch("screens", tmp_path)
    loaded = data.load("screens", tmp_path)
    assert loaded.classes == ("debian-edu", "gimp-dialogs", "gimp-menus", "gimp-preferences", "gnome")
    assert (len(loaded.train), len(loaded.test)) == (473, 115)
