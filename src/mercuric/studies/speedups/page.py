"""How do speed-ups become tables in Markdown, and a page of the sweep that they come from?"""

from pathlib import Path

import pandas as pd

from mercuric.files.reading import read_json_object
from mercuric.studies.speedups.table import lost_rows, speedup_rows, write_tables
from mercuric.studies.sweep.page import write_page as write_sweep_page
from mercuric.studies.sweep.study import SweepConfig


def write_page(folder: Path, command: str) -> Path:
    """Write ``speedups.md`` and ``report.html`` from the folder's files, and return the latter's path.

    Raises:
        MercuricError: a file is broken, or can't be written.
        OSError: a file can't be read.
    """
    found = speedup_rows(pd.read_csv(folder / "speedups.csv"))
    losses = lost_rows(pd.read_csv(folder / "lost.csv"))
    write_tables(folder, SweepConfig(**read_json_object(folder / "sweep.json")["config"]), found, losses)
    return write_sweep_page(folder, command)
