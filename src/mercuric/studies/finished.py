"""Which command filled a folder, and how is its page written again?"""

import shlex
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from mercuric.errors import MercuricError
from mercuric.files.reading import read_json_object
from mercuric.page.document import COMMAND
from mercuric.studies.bounds.page import write_bounds_report
from mercuric.studies.evaluate.folder import read_evaluation
from mercuric.studies.evaluate.page import write_evaluation_report
from mercuric.studies.front.page import write_front_report
from mercuric.studies.shrink.page import write_shrink_report
from mercuric.studies.similarity.page import write_similarity_report
from mercuric.studies.similarity.training import Trained, read_training
from mercuric.studies.speedups.table import lost_rows, speedup_rows, write_tables
from mercuric.studies.sweep.page import write_sweep_report
from mercuric.studies.sweep.study import SweepConfig
from mercuric.studies.train.page import write_report
from mercuric.trace.hitmaps.folder import INDEX, RUN

Write = Callable[[Path, str], Path]
"""Called with a folder and the command that filled it; writes its page and returns the page's path."""


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
    return write_report(folder)


def _command(folder: Path) -> str:
    stored = folder / COMMAND
    if stored.is_file():
        return stored.read_text(encoding="utf-8").strip()
    return shlex.join(["mercuric", "report", folder.resolve().name])


def _training(folder: Path, _command: str) -> Path:
    return write_report(folder)


def _similarity(folder: Path, command: str) -> Path:
    return write_similarity_report(folder, command, _trained(command))


def _trained(command: str) -> Trained | None:
    """The training run whose figures the study shows, where it is still there."""
    words = shlex.split(command)
    run = Path(words[words.index("--run") + 1]) if "--run" in words[:-1] else None
    return None if run is None or not run.is_dir() else read_training(run)


def _evaluation(folder: Path, command: str) -> Path:
    return write_evaluation_report(read_evaluation(folder), folder, command)


def _speedups(folder: Path, command: str) -> Path:
    found = speedup_rows(pd.read_csv(folder / "speedups.csv"))
    losses = lost_rows(pd.read_csv(folder / "lost.csv"))
    write_tables(folder, SweepConfig(**read_json_object(folder / "sweep.json")["config"]), found, losses)
    return write_sweep_report(folder, command)


_WRITERS: dict[str, Write] = {
    "summary.json": _training,
    "study.json": _similarity,
    "evaluation.json": _evaluation,
    "speedups.csv": _speedups,
    "sweep.json": write_sweep_report,
    "shrink.json": write_shrink_report,
    "bounds.json": write_bounds_report,
    "front.json": write_front_report,
}
"""The file that tells what filled a folder; the first that is there counts."""

_BROKEN = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, RecursionError)
"""What is raised where files were changed by hand, and lack what the page shows."""
