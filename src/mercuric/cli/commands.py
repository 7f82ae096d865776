"""Which command lines are refused before any command reads them?"""

from typing import Any, NoReturn

import typer
from typer.core import TyperGroup


class Commands(TyperGroup):
    """Commands whose arguments are never empty: an empty shell variable would stand for a default."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See Click."""
        for place, argument in enumerate(args):
            name, equals, value = argument.partition("=")
            if not argument.strip():
                before = args[place - 1] if place else ""
                _refuse(before if before.startswith("--") else "an argument", argument)
            if equals and name.startswith("--") and not value.strip():
                _refuse(name, value)
        return super().parse_args(ctx, args)


def _refuse(option: str, value: str) -> NoReturn:
    name = option.removeprefix("--").replace("-", "_")
    typer.echo(f"mercuric: {name} was {value!r}, but must have a value: is a variable empty?", err=True)
    raise SystemExit(2)
