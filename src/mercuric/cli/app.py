"""Which commands are there?"""

import typer

import mercuric
from mercuric.cli import bench, data
from mercuric.cli.accuracy import accuracy
from mercuric.cli.bounds import bounds
from mercuric.cli.commands import Commands
from mercuric.cli.console import print_any_name
from mercuric.cli.evaluate import evaluate_command
from mercuric.cli.evaluate_accuracy import evaluate_accuracy
from mercuric.cli.failures import finish_output
from mercuric.cli.hitmap import hitmap
from mercuric.cli.models import models
from mercuric.cli.report import report
from mercuric.cli.shrink import shrink
from mercuric.cli.similarity import similarity
from mercuric.cli.simulate import simulate
from mercuric.cli.speedups import speedups
from mercuric.cli.sweep import sweep
from mercuric.cli.train import train

app = typer.Typer(
    cls=Commands,
    help="MERCURY (HPCA 2023): skip a computation when a similar input vector's result is known.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command()(train)
app.command()(simulate)
app.command()(hitmap)
app.command()(similarity)
app.command()(accuracy)
app.command()(bounds)
app.command()(shrink)
app.command("evaluate")(evaluate_command)
app.command()(evaluate_accuracy)
app.command()(sweep)
app.command()(speedups)
app.command()(report)
app.command()(models)
app.add_typer(data.app, name="data")
app.add_typer(bench.app, name="bench")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mercuric {mercuric.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", is_eager=True, callback=_print_version, help="Say which."
    ),
) -> None:
    del version


def main() -> None:
    """Run the command line; it ends quietly where nobody reads on, as in ``mercuric ... | head``."""
    print_any_name()
    try:
        app()
    finally:
        finish_output()
