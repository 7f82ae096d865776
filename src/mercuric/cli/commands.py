"""How do studies become commands, and which command lines are refused before any of them reads them?"""

from collections.abc import Sequence
from functools import partial, wraps
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from mercuric.studies.study import Study
from mercuric.terminal.failures import one_sentence


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


def add_studies(app: typer.Typer, studies: Sequence[Study], groups: dict[str, str]) -> None:
    """Give each study its command, in the group that the first of its words names, if there are two.

    Args:
        app: gets the commands.
        studies: what they are of.
        groups: what each group is for.
    """
    under = {name: typer.Typer(help=what, no_args_is_help=True) for name, what in groups.items()}
    named: dict[tuple[str, ...], list[Study]] = {}
    for study in studies:
        named.setdefault(tuple(word for word in study.name.split() if not _is_switch(word)), []).append(study)
    for words, forms in named.items():
        place = app if len(words) == 1 else under[words[0]]
        place.command(words[-1], help=forms[0].help, cls=partial(_Imported, forms=forms))(lambda: None)  # type: ignore[arg-type]
    for name, group in under.items():
        app.add_typer(group, name=name)


class _Imported(TyperCommand):
    """A command that is imported when it is called, so that a list of all of them imports none."""

    def __init__(self, *args: Any, forms: Sequence[Study], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._forms = forms

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """See Click; of several forms it is the one whose switches are given."""
        study = max(self._forms, key=lambda form: len(_switches(form)) if _switches(form) <= {*args} else -1)
        left = [argument for argument in args if argument not in _switches(study)]
        name = " ".join([str(info_name), *_switches(study)])
        with one_sentence(study.stopped):
            return _command(study).make_context(name, left, parent, **extra)


def _command(study: Study) -> Any:
    function = study.load_command()

    @wraps(function)
    def run(*args: Any, **options: Any) -> None:
        with one_sentence(study.stopped):
            function(*args, **options)

    app = typer.Typer(add_completion=False)
    app.command(help=study.help)(run)
    return get_command(app)


def _switches(study: Study) -> set[str]:
    return set(filter(_is_switch, study.name.split()))


def _is_switch(word: str) -> bool:
    return word.startswith("--")
