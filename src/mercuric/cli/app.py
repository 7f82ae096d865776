"""Which commands are there?"""

import typer

import mercuric
from mercuric.cli.commands import Commands, add_commands
from mercuric.studies import study
from mercuric.terminal.command import Command
from mercuric.terminal.console import print_any_name
from mercuric.terminal.failures import finish_output

OTHERS = (
    Command(
        "report", "Write FOLDER/report.html again, from the files of a finished run or study.",
        ".cli.report:report",
    ),
    Command("data list", "List the data sets and whether each can be loaded now.", ".cli.data:list_data"),
    Command(
        "data fetch", "Fetch a data set or trained weights, check them, and say where they lie.",
        ".cli.data:fetch",
    ),
)  # fmt: skip
GROUPS = {
    "data": "List data sets, and fetch them.",
    "hardware": "MERCURY's array as a circuit.",
    "bench": "Time layers and networks on this machine's CPU, dense beside reuse.",
}
"""What the commands whose names begin with the same word are for."""


def make_app() -> typer.Typer:
    """The command ``mercuric`` with all studies there are."""
    made = typer.Typer(
        cls=Commands,
        help="MERCURY (HPCA 2023): skip a computation when a similar input vector's result is known.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
    )
    made.callback()(_options)
    add_commands(made, [*study.STUDIES, *OTHERS], GROUPS)
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
