"""``mercuric accuracy``: the table of ``docs/accuracy.md``, measured again."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mercuric.studies.accuracy.rows import MAIN, OTHERS, chosen
from mercuric.studies.accuracy.study import measure
from mercuric.studies.accuracy.table import accuracy_table, write_page
from mercuric.studies.stored_command import store_command
from mercuric.studies.workers import Workers
from mercuric.terminal import options
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars


def accuracy(
    context: typer.Context,
    rows: Annotated[
        list[str] | None, typer.Argument(help="Rows by name, or others; the main ones by default.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Gets a folder a row, accuracy.csv and accuracy.md.")] = Path(
        "runs/accuracy"
    ),
    seeds: Annotated[
        str | None, typer.Option(help="Of every row, as 0,1,2; three, or one of the others, by default.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Of every row; 10, or 4 of the others.")] = None,
    train_examples: options.TrainExamples = None,
    jobs: Annotated[
        int | None, typer.Option(help="Rows trained at a time; 1, or with --ray one a CPU, by default.")
    ] = None,
    ray: options.Ray = None,
    resume: options.Resume = False,
    names: Annotated[
        bool, typer.Option("--list", help="Say which rows there are, and train nothing.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    if names:
        typer.echo("\n".join([*MAIN, *OTHERS]))
        return
    given = {
        "seeds": None if seeds is None else options.parse_seeds(seeds),
        "epochs": epochs,
        "train_examples": train_examples,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    with bars() as progress:
        measured = measure(chosen(rows or [], **changes), out, Workers(jobs, ray), resume, progress)
    write_page(out, store_command(out, context))
    show(as_json, [{**asdict(row), "gap": row.gap} for row in measured], accuracy_table(measured))
