"""``mercuric report``: write a run's report again."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.cli.failures import one_sentence
from mercuric.report import write_report


def report(folder: Annotated[Path, typer.Argument(help="A run's folder.")]) -> None:
    """Write FOLDER/report.html from the files of a finished run."""
    with one_sentence():
        typer.echo(f"Report: {write_report(folder)}")
