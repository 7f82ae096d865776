"""Which commands are there?"""

import typer

import mercuric
from mercuric.cli import data
from mercuric.cli.commands import Commands, add_studies
from mercuric.cli.report import report
from mercuric.studies import study
from mercuric.terminal.console import print_any_name
from mercuric.terminal.failures import finish_output


def make_app() -> typer.Typer:
    """The command ``mercuric`` with all studies."""
    made = typer.Typer(
        cls=Commands,
        help="MERCURY (HPCA 2023): skip a computation when a similar input vector's result is known.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
    )
    made.callback()(_options)
    add_studies(made, study.STUDIES, study.GROUPS)
    made.command()(report)
    made.add_typer(data.app, name="data")
    return made


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mercuric {mercuric.__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", is_eager=True, callback=_print_version, help="Say which."
    ),
) -> None:
    del version


app = make_app()


def main() -> None:
    """Run the command line; it ends quietly where nobody reads on, as in ``mercuric ... | head``."""
    print_any_name()
    try:
        app()
    finally:
        finish_output()
