"""How is a command imported as it is called, and which lines are refused before any command reads them?"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from inspect import Parameter, signature
from itertools import filterfalse
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from mercuric.cli.figures import Figures, exported
from mercuric.studies.study import Study
from mercuric.terminal.command import Command
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


def add_commands(app: typer.Typer, commands: Sequence[Command], groups: Mapping[str, str]) -> None:
    """Give each command its place, in the group that the first of its words names, if there are two.

    Args:
        app: gets the commands.
        commands: what it gets; those that differ by switches alone are forms of one.
        groups: what each group is for.
    """
    under = {name: typer.Typer(help=what, no_args_is_help=True) for name, what in groups.items()}
    named: dict[tuple[str, ...], list[Command]] = {}
    for command in commands:
        named.setdefault(tuple(filterfalse(_is_switch, command.words)), []).append(command)
    for words, forms in named.items():
        place = app if len(words) == 1 else under[words[0]]
        made: Any = partial(_Imported, forms=forms)
        place.command(words[-1], help=forms[0].help, cls=made)(lambda: None)
    for name, group in under.items():
        app.add_typer(group, name=name)


class _Imported(TyperCommand):
    """A command that is imported when it is called, so that a list of all of them imports none."""

    def __init__(self, *args: Any, forms: Sequence[Command], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._forms = forms

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """See Click; of several forms it is the one with most of the switches that are given."""
        given = [form for form in self._forms if set(_switches(form)) <= set(args)]
        form = max(given, key=lambda one: len(_switches(one)))
        left = [argument for argument in args if argument not in _switches(form)]
        name = " ".join([str(info_name), *_switches(form)])
        with one_sentence(form.stopped):
            return _loaded(form).make_context(name, left, parent, **extra)


def _loaded(command: Command) -> Any:
    function = command.load()
    exports = isinstance(command, Study) and (command.tells or command.page is not None)

    @wraps(function)
    def run(*args: Any, **options: Any) -> None:
        folder = options.pop("figures") if exports else None
        with one_sentence(command.stopped), exported(folder):
            function(*args, **options)

    if exports:
        _add_option(run, "figures", Figures)
    app = typer.Typer(add_completion=False)
    app.command(help=command.help)(run)
    return get_command(app)


def _add_option(run: Callable[..., None], name: str, kind: Any) -> None:
    """Give a command an option more, which nobody needs to write."""
    told = signature(run)
    more = Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind)
    vars(run)["__signature__"] = told.replace(parameters=[*told.parameters.values(), more])
    run.__annotations__ = {**run.__annotations__, name: kind}


def _switches(command: Command) -> list[str]:
    return list(filter(_is_switch, command.words))


def _is_switch(word: str) -> bool:
    return word.startswith("--")
