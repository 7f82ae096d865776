"""Which command filled a folder?"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercuric.errors import MalformedError
from mercuric.files.reading import read_text
from mercuric.files.writing import write_text

if TYPE_CHECKING:
    import typer

COMMAND = "command.txt"
"""Beside what a command wrote: its line, which says how to make that again, and of which study it is."""

_ANYWHERE = ("out", "resume", "as_json", "figures")
"""Where the result goes, not what it is."""


def store_command(folder: Path, context: "typer.Context", more: bool = False) -> str:
    """Write the running command line into the folder that it filled; returns what is stored then.

    Args:
        folder: of the results.
        context: of the command.
        more: it added to what other commands have left, whose lines are kept.

    Raises:
        OSError: the folder can't be written.
    """
    before = stored_command(folder).splitlines() if more else []
    command = "\n".join(dict.fromkeys([*before, _typed(context)]))
    write_text(folder / COMMAND, f"{command}\n")
    return command


def stored_command(folder: Path) -> str:
    """The command line that filled the folder, or several, a line each; empty where none can be read."""
    try:
        return read_text(folder / COMMAND).strip()
    except (FileNotFoundError, MalformedError):
        return ""


def _typed(context: "typer.Context") -> str:
    """The command line without what doesn't change the result, quoted for a shell; defaults are left out."""
    program = str(context.find_root().info_name)  # "python -m mercuric" where it was called so
    words = ["mercuric", *context.command_path.removeprefix(program).split()]
    for option in context.command.params:
        source = context.get_parameter_source(str(option.name))
        if option.name in _ANYWHERE or source is None or source.name != "COMMANDLINE":
            continue
        value = context.params[str(option.name)]
        for one in value if isinstance(value, list | tuple) else [value]:
            words += _words(option, one)
    return shlex.join(words)


def _words(option: Any, value: object) -> list[str]:
    if option.param_type_name == "argument":
        return [str(value)]
    if isinstance(value, bool):
        return [option.opts[0] if value else option.secondary_opts[0]]
    return [option.opts[0], str(value)]
