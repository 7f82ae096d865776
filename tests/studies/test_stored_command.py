"""Is the command line that is stored the one that was typed, and are earlier ones kept where they count?"""

import shlex
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from mercuric.studies.stored_command import COMMAND, store_command, stored_command

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
    del names, image_size, dense, network, settings, config
    typer.echo(store_command(out, context, more=resume))


@pytest.mark.parametrize(
    ("line", "stored"),
    [
        ("a 'b;c'", "a 'b;c'"),
        ("a --image-size 8", "a --image-size 8"),
        ("--dense a --no-network --resume", "a --dense --no-network"),
        ("--set=ways=4,16 a --set 'rows=8'", "a --set ways=4,16 --set rows=8"),
        ("a --config 'my runs/c.yaml'", "a --config 'my runs/c.yaml'"),
    ],
)
def test_what_was_typed_is_read_back_as_it_was_meant(line: str, stored: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [*shlex.split(line), "--out", str(tmp_path)])
    assert done.stdout == f"mercuric {stored}\n"
    assert stored_command(tmp_path) == f"mercuric {stored}"


def test_what_goes_on_with_a_run_is_added_once(tmp_path: Path) -> None:
    for line in ("a", "b --resume", "a --resume", "b --resume"):
        assert CliRunner().invoke(app, [*line.split(), "--out", str(tmp_path)]).exit_code == 0
    assert stored_command(tmp_path) == "mercuric a\nmercuric b"
    assert CliRunner().invoke(app, ["c", "--out", str(tmp_path)]).exit_code == 0
    assert stored_command(tmp_path) == "mercuric c"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_no_command_is_none(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / COMMAND).write_bytes(content)
    assert stored_command(tmp_path) == ""
