import shutil
from pathlib import Path

import pytest
from small_help import FRAME, build, encoded, give, pairs

from mercuric import data
from mercuric.data import help_en_de
from mercuric.data.help_en_de import SOURCE
from mercuric.data.sentence_pairs import PARTS, part
from mercuric.data.tsv import read_pairs
from mercuric.errors import MercuricError

DPKG = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")


@DPKG
def test_pages_become_three_files_that_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(tmp_path, monkeypatch, encoded())
    root = tmp_path / "data"
    message = data.fetch("help-en-de", root)
    assert str(help_en_de.folder(root)) in message
    written = {name: read_pairs(help_en_de.folder(root) / f"{name}.tsv", "") for name in PARTS}
    expected = {
        name: [p for page, p in zip(encoded(), pairs(), strict=True) if part(page) == name] for name in PARTS
    }
    assert {name: sorted(found) for name, found in written.items()} == {
        name: sorted(found) for name, found in expected.items()
    }
    assert f"{len(expected['train']):,} train" in message
    loaded = data.load("help-en-de", root, vocabulary_size=100)
    assert (loaded.name, len(loaded.test), len(loaded.vocabulary)) == (
        "help-en-de",
        len(expected["test"]),
        100,
    )
    assert {row.name: row.present for row in data.describe(root)}["help-en-de"]


@DPKG
def test_fetching_again_writes_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(tmp_path, monkeypatch, encoded())
    contents = []
    for _ in range(2):
        data.fetch("help-en-de", tmp_path / "data")
        contents.append([path.read_bytes() for path in sorted((tmp_path / "data" / "help-en-de").iterdir())])
    assert contents[0] == contents[1]


@DPKG
def test_a_page_of_one_language_alone_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(tmp_path, monkeypatch, encoded())
    alone = tmp_path / SOURCE[0] / "usr/share/libreoffice/help" / SOURCE[1] / "text/alone.html"
    alone.write_text(FRAME.format('<p id="a">Only English is here.</p>'))
    build(tmp_path, SOURCE[0])
    data.fetch("help-en-de", tmp_path / "data")
    assert "Only English" not in (tmp_path / "data" / "help-en-de" / "train.tsv").read_text()


@DPKG
def test_packages_without_pages_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(tmp_path, monkeypatch, {})
    with pytest.raises(MercuricError, match=r"help-en-us held no pages of en-US; put train\.tsv"):
        data.fetch("help-en-de", tmp_path / "data")
    assert not (tmp_path / "data").exists()


@DPKG
def test_pages_without_a_pair_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(tmp_path, monkeypatch, {name: (here, here) for name, (here, _) in encoded().items()})
    with pytest.raises(MercuricError, match=r"gave no sentence pair for train\.tsv"):
        data.fetch("help-en-de", tmp_path / "data")
    assert not (tmp_path / "data").exists()


@DPKG
def test_a_page_that_is_no_utf_8_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(tmp_path, monkeypatch, {name: (here, there + b"\xfc") for name, (here, there) in encoded().items()})
    with pytest.raises(MercuricError, match=r"the help page page0\.html is not UTF-8"):
        data.fetch("help-en-de", tmp_path / "data")


@DPKG
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(tmp_path, monkeypatch, encoded())
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(MercuricError, match=f"cannot be written into {tmp_path / 'data'}") as caught:
        data.fetch("help-en-de", tmp_path / "data")
    assert caught.value.exit_code == 1


def test_missing_files_are_named_with_their_remedy(tmp_path: Path) -> None:
    assert not help_en_de.present(tmp_path)
    with pytest.raises(MercuricError, match=r"train\.tsv is missing; run `mercuric data fetch help-en-de`"):
        data.load("help-en-de", tmp_path)


@pytest.mark.download
def test_the_real_packages_give_tens_of_thousands_of_pairs(tmp_path: Path) -> None:
    data.fetch("help-en-de", tmp_path)
    loaded = data.load("help-en-de", tmp_path)
    assert len(loaded.train) > 20_000
    assert len(loaded.test) > 500
    assert len(loaded.vocabulary) == 8000
    assert loaded.vocabulary.decode([ids.tolist() for ids in loaded.train.source_ids]) == list(
        loaded.train.sources
    )
    umlauts = sum(any(letter in target for letter in "äöüÄÖÜß") for target in loaded.train.targets)
    assert umlauts > len(loaded.train) / 2
