"""Which commands are there?"""

import typer

import mercuric
from mercuric.cli import data
from mercuric.cli.commands import Commands
from mercuric.cli.report import report
from mercuric.studies.accuracy.command import accuracy
from mercuric.studies.bench import command as bench
from mercuric.studies.bounds.command import bounds
from mercuric.studies.evaluate.command import evaluate_command
from mercuric.studies.evaluate_accuracy.command import evaluate_accuracy
from mercuric.studies.hitmap.command import hitmap
from mercuric.studies.models.command import models
from mercuric.studies.shrink.command import shrink
from mercuric.studies.similarity.command import similarity
from mercuric.studies.simulate.command import simulate
from mercuric.studies.speedups.command import speedups
from mercuric.studies.sweep.command import sweep
from mercuric.studies.train.command import train
from mercuric.terminal.console import print_any_name
from mercuric.terminal.failures import finish_output

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
