"""What does a terminal get to see, and how wide is it?"""

import os
import sys
import unicodedata
from collections.abc import Iterable
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from mercuric.files.json_text import json_text

WIDE = 140
"""Characters a line of a file or a pipe, which no window cuts off."""

_TURNS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that let text be shown in another order than it has."""


class PlainConsole(Console):
    """A console that shows names as they are: ``[red]`` is no markup, and control characters are escaped."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False)

    def print(self, *objects: Any, **how: Any) -> None:
        """See Rich, which measures the cells of a table before it renders them."""
        for table in objects:
            for column in table.columns if isinstance(table, Table) else ():
                column._cells[:] = map(_plain, column._cells)
        super().print(*objects, **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """See Rich."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


def output() -> Console:
    """Standard output, as wide as its window, or as ``COLUMNS`` says."""
    console = PlainConsole()
    return console if console.is_terminal or "COLUMNS" in os.environ else PlainConsole(width=WIDE)


def errors() -> Console:
    """Standard error, where progress is shown."""
    return PlainConsole(stderr=True)


def show(as_json: bool, figures: object, *shown: RenderableType) -> None:
    """Print figures for scripts, or what people read: tables, and lines that no window breaks."""
    if as_json:
        typer.echo(json_text(figures))
        return
    for one in shown:
        typer.echo(one) if isinstance(one, str) else output().print(one)


def say(sentence: str) -> None:
    """Tell a person, beside the results, what is going on."""
    typer.echo(sentence, err=True)


def visible(text: str) -> str:
    """``text`` with what would steer a terminal, or can't be printed, as ``\\x1b``; lines stay lines."""
    return "".join(_escaped(one) if _steers(one) else one for one in text)


def _plain(cell: RenderableType) -> RenderableType:
    if isinstance(cell, Text) and visible(cell.plain) != cell.plain:
        return Text(visible(cell.plain), style=cell.style)
    return visible(cell) if isinstance(cell, str) else cell


def _steers(character: str) -> bool:
    if character in "\n\t":
        return False
    return unicodedata.category(character) in ("Cc", "Cs") or character in _TURNS


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def print_any_name() -> None:
    """Let file names that are not UTF-8, or characters that the terminal has not, be printed escaped."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
