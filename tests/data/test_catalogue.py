from importlib.util import find_spec
from pathlib import Path

import pytest
from small_fashion_mnist import expect_small_files, write

from mercuric import data
from mercuric.errors import MercuricError


def test_names() -> None:
    assert data.names() == (
        "photos",
        "text-pages",
        "fashion-mnist",
        "cifar10",
        "pages",
        "pages-150",
        "screens",
        "clip-art",
        "icons",
        "atari",
        "imagefolder",
        "imagefolder-readable",
        "help-en-de",
        "tsv",
        "npz",
        "random",
    )


@pytest.mark.parametrize("function", [data.load, data.fetch])
def test_an_unknown_name_is_refused_with_the_known_ones(function: object) -> None:
    assert callable(function)
    with pytest.raises(
        ValueError, match=f"name was 'mnist', but it must be one of {', '.join(data.names())}"
    ):
        function("mnist")


def test_descriptions_say_what_is_present(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {row.name: row.present for row in data.describe(tmp_path)}
    shipped = {"photos", "text-pages", "random"} | ({"atari"} if find_spec("ale_py") else set())
    assert before == {name: name in shipped for name in data.names()}
    expect_small_files(monkeypatch)
    write(tmp_path)
    monkeypatch.setenv("MERCURIC_DATA", str(tmp_path))
    after = {row.name: row.present for row in data.describe()}
    assert after == {**before, "fashion-mnist": True}
    assert len(data.load("fashion-mnist").train) == 70


def test_the_root_is_the_variable_or_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCURIC_DATA", "/srv/data")
    assert data.data_root() == Path("/srv/data")
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("MERCURIC_DATA", "~/data")
    assert data.data_root() == Path("/home/someone/data")
    monkeypatch.delenv("MERCURIC_DATA")
    assert data.data_root() == Path("/home/someone/.cache/mercuric/data")


@pytest.mark.parametrize("name", ["photos", "text-pages"])
def test_what_is_installed_needs_no_fetch_and_touches_no_disk(name: str, tmp_path: Path) -> None:
    assert "nothing to fetch" in data.fetch(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_one_s_own_images_cannot_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(
        MercuricError, match=f"cannot be fetched: lay them out as train/CLASS/.* in {tmp_path}"
    ):
        data.fetch("imagefolder", tmp_path)


def test_imagefolder_needs_a_root() -> None:
    with pytest.raises(
        ValueError, match="root was None, but imagefolder needs the folder that holds train/CLASS"
    ):
        data.load("imagefolder")
