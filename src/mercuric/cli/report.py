"""``mercuric report``: write the page of a finished folder again."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.studies.finished import write_page_again


def report(
    folder: Annotated[Path, typer.Argument(help="What train, similarity or another command filled.")],
) -> None:
    typer.echo(f"Report: {write_page_again(folder)}")
