"""Who works in a folder, and is whoever wrote a file still there?"""

import json
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mercuric.errors import MercuricError

try:
    import fcntl
except ImportError:  # Windows has no such locks, and works without
    fcntl = None  # type: ignore[assignment]

LOCK = ".mercuric.lock"
_held: set[Path] = set()


class InUse(MercuricError):  # noqa: N818 - what a folder is
    """A folder that another process works in."""


def lock(descriptor: int) -> bool:
    """Lock an open file until it is closed or the process ends, however it ends; False where another has.

    On file systems without locks it is always True.
    """
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is what ``path`` names: another may have removed or replaced it."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """The folder for this process alone, made where there is none; blocks of one process may lie within.

    Raises:
        InUse: another process works in it; names which, on which host and by which command.
        OSError: the folder can't be written.
    """
    path = folder.resolve() / LOCK
    if path in _held:
        yield
        return
    new = [part for part in (folder, *folder.parents) if not part.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = _locked(path, folder)
    try:
        _held.add(path)
        os.truncate(descriptor, 0)
        os.write(descriptor, json.dumps(_this_process()).encode())
        yield
    finally:
        _held.discard(path)
        path.unlink(missing_ok=True)
        os.close(descriptor)
        with suppress(OSError):
            for part in new:
                part.rmdir()  # nothing was written: the mended command finds it as it was


def _locked(path: Path, folder: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        if not lock(descriptor):
            other = _read(descriptor)
            os.close(descriptor)
            raise InUse(f"{folder} is in use by {other}; wait for it, or choose another folder")
        if is_at(descriptor, path):
            return descriptor
        os.close(descriptor)  # whoever had it has just removed it


def _this_process() -> dict[str, Any]:
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return {"pid": os.getpid(), "host": socket.gethostname(), "command": command[:1000]}


def _read(descriptor: int) -> str:
    try:
        said = json.loads(os.pread(descriptor, 1 << 16, 0))
        return f"process {said['pid']} on {said['host']} ({said['command']})"
    except (OSError, ValueError, LookupError, TypeError):
        return "another process"
