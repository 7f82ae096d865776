"""Which images lie below a folder, and which of them can't be read?"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from mercuric.data.image_file import ENDINGS, open_image, reason, require_content, to_rgb

NOT_THE_USERS = frozenset(
    {"#recycle", "$recycle.bin", "@eadir", "__macosx", "lost+found", "system volume information"}
)
"""Folders that network drives, archives and file systems leave; hidden names begin with a dot."""
MOST_HEADERS = 50_000
MOST_PIXELS = 200_000_000
"""What is looked at before a run: of more files, only whether they are files and hold anything; of more
pixels, only headers and ends."""

_ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}
_END_BYTES = 4096
Item = TypeVar("Item")
Result = TypeVar("Result")


def is_the_users(name: str) -> bool:
    """Whether a file or folder of this name may be somebody's image or class."""
    return not name.startswith(".") and name.lower() not in NOT_THE_USERS


def image_files(folder: Path) -> list[Path]:
    """Every file below ``folder`` that is named as an image, sorted; hidden ones are left out.

    Links are followed. A folder is gone through once, however many links lead there, and never one
    that ``folder`` itself lies in: so every walk ends.

    Raises:
        OSError: a folder can't be read.
    """
    here = folder.resolve()
    seen = {_identity(above.stat()) for above in here.parents}
    return sorted(_walk(folder, seen))


def _walk(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    identity = _identity(folder.stat())
    if identity in seen:
        return
    seen.add(identity)
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if is_the_users(entry.name))
    for path in (folder / name for name in names):
        if path.is_dir():
            yield from _walk(path, seen)
        elif path.suffix.lower() in ENDINGS:
            yield path


def _identity(about: os.stat_result) -> tuple[int, int]:
    return about.st_dev, about.st_ino


def unreadable(files: Sequence[Path]) -> dict[Path, str]:
    """Those of ``files`` that can't be read, and why.

    Of up to :data:`MOST_HEADERS` files the header is read and, where the format says how it ends, the
    end; one without it is decoded. Where all together have at most :data:`MOST_PIXELS` pixels, every one
    is decoded. Of more files, only those that hold nothing are found.
    """
    if len(files) > MOST_HEADERS:
        return _faults(files, require_content)
    pixels: list[int] = []

    def header(path: Path) -> None:
        with open_image(path) as image:
            pixels.append(image.width * image.height)
            whole = _seems_whole(path, image.format)
        if not whole:
            _decode(path)

    faults = _faults(files, header)
    if sum(pixels) <= MOST_PIXELS:
        faults |= _faults([path for path in files if path not in faults], _decode)
    return {path: faults[path] for path in files if path in faults}


def _faults(files: Sequence[Path], check: Callable[[Path], None]) -> dict[Path, str]:
    def fault(path: Path) -> str | None:
        try:
            check(path)
        except Exception as error:  # a decoder may meet anything in a file, and raises as much
            return reason(error)
        return None

    return {
        path: said for path, said in zip(files, in_threads(fault, files), strict=True) if said is not None
    }


def _decode(path: Path) -> None:
    with open_image(path) as image:
        image.draft("RGB", (1, 1))  # JPEG is decoded at an eighth of its size, but to its end
        to_rgb(image)


def _seems_whole(path: Path, form: str | None) -> bool:
    end = _ENDS.get(form or "")
    if end is None:
        return True
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _END_BYTES))
        return end in file.read()


def in_threads(do: Callable[[Item], Result], files: Iterable[Item]) -> list[Result]:
    """``do`` for each file, in their order, on as many threads as there are cores: decoders let others run.

    The threads end with the call, so that a process may fork afterwards.
    """
    with ThreadPoolExecutor(_cores()) as pool:
        return list(pool.map(do, files))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
