"""How does a table look in the page?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

Heading = tuple[str, str, bool]
"""A column's name, what it means (or nothing), and whether it holds text."""


@dataclass(frozen=True)
class Cell:
    """A text, and the number that it sorts by; ``loses`` marks it as worse than dense."""

    text: str
    value: float | None = None
    loses: bool = False

    @property
    def kind(self) -> str:
        """Whether it holds a number, or sorts by its text."""
        return "text" if self.value is None else "number"

    @property
    def key(self) -> str:
        """The number, as the page's script reads it; empty where there is none."""
        return "" if self.value is None or not math.isfinite(self.value) else f"{float(self.value):.12g}"


@dataclass(frozen=True)
class SortableTable:
    """A table that a click on a heading sorts; it scrolls where the window is narrower."""

    template: ClassVar[str] = "table.html"
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
