import errno
import os
from pathlib import Path

import pytest

from mercuric.errors import MercuricError
from mercuric.files.writing import _HOST, new_folder, replacing, write_text


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "summary.json"
    path.write_text("before")
    return path


def only(target: Path) -> bool:
    return [path.name for path in target.parent.iterdir()] == [target.name]


def test_it_takes_the_place_of_what_was_there(target: Path) -> None:
    write_text(target, "nachher: ä\n")
    assert target.read_text(encoding="utf-8") == "nachher: ä\n"
    assert only(target)


def test_folders_are_made(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "c.txt", "x")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "x"


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()])
def test_a_failure_leaves_what_was_there(target: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), replacing(target) as temporary:
        temporary.write_text("half")
        assert target.read_text() == "before"
        raise error
    assert target.read_text() == "before"
    assert only(target)


def test_a_full_disk_names_the_target(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_text(target, "after")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(target))
    assert target.read_text() == "before"
    assert only(target)


def test_a_folder_that_is_a_file(target: Path) -> None:
    with pytest.raises(FileExistsError):
        write_text(target / "below.txt", "x")
    assert target.read_text() == "before"


def test_a_link_is_replaced_and_what_it_points_to_is_left(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "mine").symlink_to(tmp_path / "theirs")
    write_text(tmp_path / "mine", "mine")
    assert not (tmp_path / "mine").is_symlink() and (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "theirs").read_text() == "theirs"


def test_what_is_no_regular_file_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to-null").symlink_to(os.devnull)
    for path, kind in (
        (tmp_path / "pipe", "a pipe"), (tmp_path / "to-null", "a device"), (Path(os.devnull), "a device"),
        (tmp_path, "a folder"),
    ):  # fmt: skip
        with pytest.raises(MercuricError, match=f"{path} is {kind}, but what is written"):
            write_text(path, "x")
    assert Path(os.devnull).is_char_device() and (tmp_path / "pipe").is_fifo()


def test_what_a_kill_left_is_cleared_and_what_is_written_now_is_not(target: Path) -> None:
    folder = target.parent
    (folder / f".old.csv.{_HOST}0123abcd.mercuric.tmp").write_text("half")
    (folder / ".other.tmp").write_text("another program's")
    with replacing(folder / "new.csv") as writing:
        writing.write_text("new")
        write_text(target, "after")
        assert writing.exists()
    assert {path.name for path in folder.iterdir()} == {"summary.json", "new.csv", ".other.tmp"}


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 127)
    write_text(path, "x")
    assert path.read_text() == "x"


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(RuntimeError), new_folder(path) as temporary:
        write_text(temporary / "half.txt", "x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    path.mkdir()
    with new_folder(path) as temporary:
        write_text(temporary / "all.txt", "x")
        assert not any(path.iterdir())
    assert [one.name for one in path.iterdir()] == ["all.txt"]
    with pytest.raises(MercuricError, match="is there already"), new_folder(path):
        pass
    assert [one.name for one in tmp_path.iterdir()] == ["out"]
