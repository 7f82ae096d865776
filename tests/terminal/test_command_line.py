"""Is the command line that is stored the one that was typed?"""

import shlex
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from mercuric.terminal.command_line import typed

app = typer.Typer()


@app.command()
def show(
    context: typer.Context,
    names: list[str],
    image_size: int = 8,
    dense: Annotated[bool, typer.Option("--dense")] = False,
    network: bool = True,
    settings: Annotated[list[str] | None, typer.Option("--set")] = None,
    config: Path | None = None,
    out: Path = Path("runs"),
    resume: Annotated[bool, typer.Option("--resume")] = False,
) -> None:
    del names, image_size, dense, network, settings, config, out, resume
    typer.echo(typed(context))


@pytest.mark.parametrize(
    ("line", "stored"),
    [
        ("a 'b;c'", "a 'b;c'"),
        ("a --image-size 8", "a --image-size 8"),
        ("--dense a --no-network --out else --resume", "a --dense --no-network"),
        ("--set=ways=4,16 a --set 'rows=8' --out=else", "a --set ways=4,16 --set rows=8"),
        ("a --config 'my runs/c.yaml'", "a --config 'my runs/c.yaml'"),
    ],
)
def test_what_was_typed_is_read_back_as_it_was_meant(line: str, stored: str) -> None:
    assert CliRunner().invoke(app, shlex.split(line)).stdout == f"mercuric {stored}\n"
