"""What is one row of the comparison?"""

from collections.abc import Mapping
from dataclasses import dataclass

from mercuric.page import formats


@dataclass(frozen=True)
class Figure:
    """A figure of each training.

    Attributes:
        label: what it is.
        cells: run, or ``"published"``, to what is written; nothing, or "", where there is no such figure.
        detail: whether the row is a part of the one above it.
    """

    label: str
    cells: Mapping[str, str]
    detail: bool = False

    def cell(self, column: str) -> str:
        """What is written in a column."""
        return self.cells.get(column, "")


def written(text: str) -> str:
    """A text of :mod:`~mercuric.page.formats`, empty where there is nothing to write."""
    return "" if text == formats.MISSING else text
