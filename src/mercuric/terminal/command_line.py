"""Which command line is running?"""

import shlex
from typing import Any

import typer

_ANYWHERE = ("out", "resume", "as_json")
"""Where the result goes, not what it is."""


def typed(context: typer.Context) -> str:
    """The command line without what doesn't change the result, quoted for a shell; defaults are left out."""
    words = ["mercuric", *context.command_path.split()[1:]]
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
