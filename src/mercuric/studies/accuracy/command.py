"""``mercuric accuracy``: the table of ``docs/accuracy.md``, measured again."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mercuric.files.json_text import json_text
from mercuric.files.writing import write_text
from mercuric.studies.accuracy.rows import MAIN, OTHERS, chosen
from mercuric.studies.accuracy.study import measure
from mercuric.studies.accuracy.table import accuracy_markdown, accuracy_table
from mercuric.studies.train.command import STOPPED
from mercuric.terminal.console import errors, output
from mercuric.terminal.failures import one_sentence
from mercuric.terminal.progress import bars


def accuracy(
    rows: Annotated[
        list[str] | None, typer.Argument(help="Rows by name, or others; the main ones by default.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Gets a folder a row, accuracy.csv and accuracy.md.")] = Path(
        "runs/accuracy"
    ),
    jobs: Annotated[int, typer.Option(help="Rows trained at a time, which share the cores.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped table.")] = False,
    names: Annotated[
        bool, typer.Option("--list", help="Say which rows there are, and train nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows instead of a table.")] = False,
) -> None:
    """Train networks densely and with MERCURY, over seeds, and write the table of what that costs."""
    if names:
        typer.echo("\n".join([*MAIN, *OTHERS]))
        return
    with one_sentence(STOPPED):
        with bars(errors()) as tell:
            measured = measure(chosen(rows or []), out, jobs, resume, tell)
        write_text(out / "accuracy.md", accuracy_markdown(measured))
        if as_json:
            typer.echo(json_text([{**asdict(row), "gap": row.gap} for row in measured]))
            return
        output().print(accuracy_table(measured))
