"""How is a result written so that it is there whole or not at all?"""

import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from mercuric.errors import MercuricError
from mercuric.files.locks import is_at, lock
from mercuric.files.regular import irregular

_HOST = sha256(socket.gethostname().encode()).hexdigest()[:8]
"""Whose process writes a file: no other host's locks are seen on every shared file system."""
_TEMPORARY = re.compile(rf"\..*\.{_HOST}[0-9a-f]{{8}}\.mercuric\.tmp")
_LONGEST = 50
"""Characters of a file's name in its temporary one, which may have 255 bytes."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``; it takes its place when the block ends well.

    What kills have left in the folder is removed. A link is replaced, and what it points to is left alone.

    Raises:
        MercuricError: ``path`` is a folder, a pipe or a device.
        OSError: the folder can't be written, or the disk is full; ``path`` is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _require_regular(path)
    remove_abandoned(path.parent)
    temporary, descriptor = _create(path)
    try:
        yield temporary
        os.fsync(descriptor)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        # A full disk names no file, and the temporary one tells a person nothing.
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` through a temporary file, as UTF-8; what that has not is escaped."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside ``path``; it takes its place when the block ends well, else it is removed.

    Raises:
        MercuricError: there is something at ``path`` already.
        OSError: the folder can't be written.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise MercuricError(f"{path} is there already; remove it or name another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:_LONGEST]}.{_HOST}{token_hex(4)}.mercuric.tmp")
    temporary.mkdir()
    try:
        yield temporary
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_abandoned(folder: Path) -> None:
    """Remove temporary files that :func:`replacing` made on this host and whose processes are gone."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if _TEMPORARY.fullmatch(entry.name)]
    for name in names:
        with suppress(OSError):
            _remove_if_abandoned(folder / name)


def _remove_if_abandoned(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0))
    try:
        if irregular(os.fstat(descriptor).st_mode) is None and lock(descriptor):
            path.unlink()
    finally:
        os.close(descriptor)


def _require_regular(path: Path) -> None:
    try:
        other = irregular(path.stat().st_mode)
    except FileNotFoundError:
        return
    if other is not None:
        raise MercuricError(f"{path} is {other}, but what is written must be a regular file")


def _create(path: Path) -> tuple[Path, int]:
    """A new file that is locked as long as it is open, which tells it from what a kill has left."""
    while True:
        temporary = path.with_name(f".{path.name[:_LONGEST]}.{_HOST}{token_hex(4)}.mercuric.tmp")
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        if lock(descriptor) and is_at(descriptor, temporary):
            return temporary, descriptor
        os.close(descriptor)  # another took it for abandoned before it was locked


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a loss of power; not every file system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
