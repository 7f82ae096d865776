"""Does one process at a time work in a folder, and does a kill leave it free?"""

import subprocess
import sys
from pathlib import Path

import pytest

from mercuric.errors import MercuricError
from mercuric.files.locks import holding

HOLD = """
import sys
from pathlib import Path
from mercuric.files.locks import holding
with holding(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_other_process_is_named_and_a_kill_frees_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with (
            pytest.raises(MercuricError, match=rf"{folder} is in use by process {other.pid} on "),
            holding(folder),
        ):
            pass
        other.kill()
    assert list(folder.iterdir()), "a kill leaves the lock's file"
    with holding(folder), holding(folder):
        assert (folder / ".mercuric.lock").exists()
    assert not list(folder.iterdir())


def test_a_folder_in_which_nothing_was_written_goes(tmp_path: Path) -> None:
    with holding(tmp_path / "run"):
        pass
    assert not (tmp_path / "run").exists()


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".mercuric.lock").symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError, match="symbolic links"), holding(tmp_path / "run"):
        pass
    assert (tmp_path / "theirs").read_text() == "theirs"
