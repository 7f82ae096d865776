import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from small_packages import Apt, numbered_page, pdf

from mercuric import data
from mercuric.data import pages
from mercuric.data.pages import MANUALS, PAGES, Manual
from mercuric.data.picture_archive import ArchiveSplit
from mercuric.errors import MercuricError

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")
SMALL = (
    Manual("one", "one-doc", "1", "doc/one/one.pdf"),
    Manual("two", "two-doc", "1", "doc/two/two.pdf"),
)


@pytest.fixture
def give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Two packages of a manual each, of which the second is gzipped."""
    monkeypatch.setattr(pages, "MANUALS", SMALL)
    apt = Apt(tmp_path / "apt", monkeypatch)

    def give(count: int) -> None:
        one, two = (pdf(numbered_page(start + number) for number in range(count)) for start in (0, 500))
        apt.gives("one-doc", {"usr/share/doc/one/one.pdf": one})
        apt.gives("two-doc", {"usr/share/doc/two/two.pdf.gz": gzip.compress(two)})

    return give


@pytest.mark.parametrize(
    ("name", "size", "shape"), [("pages", 512, (60, 80)), ("pages-150", 1024, (125, 167))]
)
def test_pages_of_manuals_are_drawn_at_the_resolution(
    name: str, size: int, shape: tuple[int, int], give: Callable[[int], None], tmp_path: Path
) -> None:
    give(PAGES + 30)
    root = tmp_path / "data"
    assert "holds 96 pictures to train on and 24 to test on, of 2 classes" in data.fetch(name, root)
    assert {row.name: row.present for row in data.describe(root)}[name]
    loaded = data.load(name, root)
    assert (loaded.name, loaded.classes, loaded.image_size) == (name, ("one", "two"), size)
    page = loaded.train.pixels(torch.tensor([0]))[0]
    dark = (page != 255).any(0).nonzero()
    assert (dark.amax(0) - dark.amin(0) < torch.tensor(shape[::-1])).all()
    assert data.load(name, root, 32).train.pixels(torch.tensor([0])).shape == (1, 3, 32, 32)


def test_pages_are_taken_evenly_from_the_first_to_the_last(
    give: Callable[[int], None], tmp_path: Path
) -> None:
    give(2 * PAGES - 1)
    data.fetch("pages", tmp_path / "data")
    loaded = data.load("pages", tmp_path / "data")
    members = []
    for split in (loaded.train, loaded.test):
        assert isinstance(split, ArchiveSplit)
        members += [member.name for member in split.members]
    expected = [f"{title}/{number:04}.png" for title in ("one", "two") for number in range(1, 120, 2)]
    assert sorted(members) == expected


def test_a_manual_that_became_short_is_named(give: Callable[[int], None], tmp_path: Path) -> None:
    give(PAGES - 1)
    with pytest.raises(MercuricError, match=r"one\.pdf of one-doc has 59 pages, but must have 60"):
        data.fetch("pages", tmp_path / "data")


def test_a_package_without_its_manual_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MANUALS", SMALL[:1])
    Apt(tmp_path / "apt", monkeypatch).gives("one-doc", {"usr/share/doc/one/copyright": b""})
    with pytest.raises(MercuricError, match=r"one\.pdf and one\.pdf\.gz are missing"):
        data.fetch("pages", tmp_path / "data")


@pytest.mark.parametrize("name", ["pages", "pages-150"])
def test_what_was_not_fetched_is_named_with_its_remedy(name: str, tmp_path: Path) -> None:
    with pytest.raises(MercuricError, match=rf"-dpi\.zip is missing; run `mercuric data fetch {name}`"):
        data.load(name, tmp_path)


@pytest.mark.download
def test_the_real_manuals_give_hundreds_of_pages(tmp_path: Path) -> None:
    said = data.fetch("pages", tmp_path)
    assert "numbers are of" not in said
    loaded = data.load("pages", tmp_path)
    assert len(loaded.classes) == len(MANUALS)
    assert (len(loaded.train), len(loaded.test)) == (557, 139)
    assert (loaded.train.labels.bincount() >= 40).all()
