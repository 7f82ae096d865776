"""``mercuric data``: which data sets there are, and how to get them."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from mercuric import data
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars
from mercuric.zoo import pretrained

Root = Annotated[
    Path | None,
    typer.Option("--data-root", "--root", help="Where the files lie; $MERCURIC_DATA by default."),
]


def list_data(
    root: Root = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list for scripts.")] = False,
) -> None:
    described = data.describe(root)
    table = Table()
    for column in ("name", "what it is", "classes", "size in pixels", "here", "how to get it"):
        table.add_column(column, overflow="fold")
    for row in described:
        here = Text("yes", style="green") if row.present else Text("no")
        table.add_row(row.name, row.what, row.classes, row.image_size, here, row.how)
    show(as_json, [asdict(row) for row in described], table)


def fetch(
    name: Annotated[
        str, typer.Argument(help=f"A data set of the list, or weights: {', '.join(pretrained.names())}.")
    ],
    root: Root = None,
) -> None:
    if name in pretrained.names():
        typer.echo(pretrained.fetch(name, root))
        return
    with bars() as tell:
        said = data.fetch(name, root, tell)
    typer.echo(said)
