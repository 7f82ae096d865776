"""Which command filled a folder, and how is its page written again?"""

import shlex
from collections.abc import Callable
from pathlib import Path

from mercuric.errors import MercuricError
from mercuric.files.writing import write_text
from mercuric.studies.bounds import page as bounds
from mercuric.studies.evaluate import page as evaluate
from mercuric.studies.front import page as front
from mercuric.studies.shrink import page as shrink
from mercuric.studies.similarity import page as similarity
from mercuric.studies.speedups import page as speedups
from mercuric.studies.sweep import page as sweep
from mercuric.studies.train import page as train
from mercuric.trace.hitmaps.folder import INDEX, RUN

COMMAND = "command.txt"
"""The file that holds the command which filled a folder."""

Write = Callable[[Path, str], Path]
"""Called with a folder and the command that filled it; writes its page and returns the page's path."""


def store_command(folder: Path, command: str) -> str:
    """Write the command that filled a folder into it, and return it.

    Raises:
        OSError: it can't be written.
    """
    write_text(folder / COMMAND, f"{command}\n")
    return command


def write_page_again(folder: Path) -> Path:
    """Write ``report.html`` of a finished folder from its files, and return its path.

    Raises:
        MercuricError: no command filled the folder, or a file is missing or broken; names it.
        OSError: the page can't be written.
    """
    if not folder.is_dir():
        raise MercuricError(f"{folder} is not a run's folder: no such directory")
    for mark, write in _WRITERS.items():
        if (folder / mark).is_file():
            try:
                return write(folder, _command(folder))
            except FileNotFoundError as error:
                raise MercuricError(f"{error.filename} is missing: {folder} is not finished") from None
            except MercuricError:
                raise
            except _BROKEN as error:
                reason = " ".join(str(error).split())[:300]
                raise MercuricError(f"{folder} is broken: {type(error).__name__}, {reason}") from None
    if (folder / RUN).is_file() and (folder / INDEX).is_file():
        raise MercuricError(f"{folder} holds Hitmaps, which have no page; see mercuric simulate --hitmaps")
    # A training's folder, whose files are named one by one where they are missing.
    return train.write_page(folder, _command(folder))


def _command(folder: Path) -> str:
    stored = folder / COMMAND
    if stored.is_file():
        return stored.read_text(encoding="utf-8").strip()
    return shlex.join(["mercuric", "report", folder.resolve().name])


_WRITERS: dict[str, Write] = {
    "summary.json": train.write_page,
    "study.json": similarity.write_page,
    "evaluation.json": evaluate.write_page,
    "speedups.csv": speedups.write_page,
    "sweep.json": sweep.write_page,
    "shrink.json": shrink.write_page,
    "bounds.json": bounds.write_page,
    "front.json": front.write_page,
}
"""The file that tells what filled a folder; the first that is there counts."""

_BROKEN = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, RecursionError)
"""What is raised where files were changed by hand, and lack what the page shows."""
