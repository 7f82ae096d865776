"""``mercuric report``: write the page of a finished folder again."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.cli.figures import Figures, exported
from mercuric.studies.finished import write_page_again


def report(
    folder: Annotated[Path, typer.Argument(help="What train, similarity or another command filled.")],
    figures: Figures = None,
) -> None:
    with exported(figures):
        page = write_page_again(folder)
    typer.echo(f"Report: {page}")
