"""What did an earlier run leave in the folder?"""

from dataclasses import fields
from pathlib import Path

from mercuric.errors import MalformedError
from mercuric.files.reading import read_json_object
from mercuric.studies.bench.equal.config import EqualBench
from mercuric.studies.bench.equal.study import Found
from mercuric.studies.machine import machine
from mercuric.studies.run_folder import claim_folder

FIGURES = "equal.json"
"""All tables, which are written after each case."""


def measured_before(folder: Path, config: EqualBench, resume: bool) -> Found:
    """The cases that are in the folder already, which is this run's from now on.

    Args:
        folder: of the results.
        config: of the run.
        resume: whether the folder may hold cases of it.

    Raises:
        MercuricError: it holds a run and ``resume`` is False, or one with other settings or of another
            machine, or its figures are broken.
        OSError: the folder can't be written.
    """
    claim_folder(folder, config, resume, resolved={"machine": machine()})
    path = folder / FIGURES
    try:
        saved = read_json_object(path)
    except FileNotFoundError:
        return Found()
    names = [field.name for field in fields(Found) if field.name != "skipped"]
    for name in names:
        rows = saved.get(name)
        if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
            raise MalformedError(f"{path} is broken: {name} is no list of rows")
    return Found(**{name: saved[name] for name in names})
