"""Which command filled a folder?"""

from pathlib import Path

import typer

from mercuric.errors import MalformedError
from mercuric.files.reading import read_text
from mercuric.files.writing import write_text
from mercuric.terminal.command_line import typed

COMMAND = "command.txt"
"""Beside what a command wrote: its line, which says how to make that again, and of which study it is."""


def store_command(folder: Path, context: typer.Context, more: bool = False) -> str:
    """Write the running command line into the folder that it filled, and return it.

    Args:
        folder: of the results.
        context: of the command.
        more: it added to what other commands have left, whose lines are kept.

    Raises:
        OSError: the folder can't be written.
    """
    command = typed(context)
    before = stored_command(folder).splitlines() if more else []
    write_text(folder / COMMAND, "".join(f"{line}\n" for line in dict.fromkeys([*before, command])))
    return command


def stored_command(folder: Path) -> str:
    """The command line that filled the folder, or several, a line each; empty where none can be read."""
    try:
        return read_text(folder / COMMAND).strip()
    except (FileNotFoundError, MalformedError):
        return ""
