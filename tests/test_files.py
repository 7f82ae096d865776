import errno
import os
from pathlib import Path

import pytest

from mercuric.files import replacing, write_text


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
