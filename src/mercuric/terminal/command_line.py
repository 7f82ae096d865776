"""Which command makes a result again?"""

import shlex
from collections.abc import Iterable, Mapping


def command_line(name: str, words: Iterable[str], options: Mapping[str, object]) -> str:
    """``mercuric NAME WORDS --OPTION VALUE ...``, quoted for a shell.

    Args:
        name: the command.
        words: its arguments.
        options: by field; True is a switch, and what is None or False is left out.
    """
    typed = ["mercuric", name, *words]
    for field, value in options.items():
        if value is None or value is False:
            continue
        typed += [f"--{field.replace('_', '-')}", *([] if value is True else [str(value)])]
    return shlex.join(typed)
