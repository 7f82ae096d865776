"""How does a table look in the page?"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from mercuric.page.parts import Part


@dataclass(frozen=True)
class Cell:
    """A text, and the number that it sorts by; ``loses`` marks it as worse than dense."""

    text: str
    value: float | None = None
    loses: bool = False

    @property
    def key(self) -> str:
        """The number, as the page's script reads it; empty where there is none."""
        return "" if self.value is None or not math.isfinite(self.value) else f"{float(self.value):.12g}"


@dataclass(frozen=True)
class Column:
    """Cells under their name; ``meaning`` says what they are.

    They are of one kind: ``"text"``, ``"number"``, or ``"prose"``, whose lines break.
    """

    name: str
    kind: str
    cells: Sequence[Cell]
    meaning: str = ""


@dataclass(frozen=True)
class SortableTable:
    """A table that a click on a heading sorts; it scrolls where the window is narrower."""

    template: ClassVar[str] = "table.html"
    parts: ClassVar[Sequence[Part]] = ()
    columns: Sequence[Column]
    title: str = ""

    @property
    def rows(self) -> list[tuple[Cell, ...]]:
        """The cells, row by row."""
        return list(zip(*(column.cells for column in self.columns), strict=True))


def words(name: str, values: Iterable[object], meaning: str = "") -> Column:
    """A column of texts."""
    return Column(name, "text", [Cell(str(value)) for value in values], meaning)


def prose(name: str, values: Iterable[str]) -> Column:
    """A column of sentences."""
    return Column(name, "prose", [Cell(value) for value in values])


def numbers(
    name: str,
    values: Iterable[Any],
    text: Callable[[Any], str],
    meaning: str = "",
    loses: Iterable[bool] | None = None,
) -> Column:
    """A column of numbers, each written by ``text``; None and NaN sort last, ``loses`` marks some."""
    known = list(values)
    marks = [False] * len(known) if loses is None else loses
    cells = [Cell(text(value), value, bool(mark)) for value, mark in zip(known, marks, strict=True)]
    return Column(name, "number", cells, meaning)
