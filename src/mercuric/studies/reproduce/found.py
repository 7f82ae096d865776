"""What was found of a claim?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from mercuric.page.chart import Picture
from mercuric.page.table import SortableTable
from mercuric.studies.reproduce.claim import CLAIMS, Claim


@dataclass(frozen=True)
class Number:
    """Our answer to one statement.

    Attributes:
        ours: in the paper's timing where cycles are counted; None where the run doesn't say.
        fair: with a baseline whose dot products overlap as MERCURY's signatures do.
        spread: the least and the largest over seeds, or over what no text tells.
        beside: what else one should know.
    """

    ours: float | None
    fair: float | None = None
    spread: tuple[float, float] | None = None
    beside: str = ""


def spread_of(values: Sequence[float]) -> tuple[float, float] | None:
    """The least and the largest of several seeds' numbers; None where there is one seed."""
    return (min(values), max(values)) if len(values) > 1 else None


@dataclass(frozen=True)
class Found:
    """Our answer to a claim.

    Attributes:
        numbers: by the names of the claim's statements.
        why: the cause of the verdict, in one sentence.
        setting: what ran: terms and words.
        pictures: in the paper's form.
        tables: the picture's numbers.
    """

    numbers: Mapping[str, Number]
    why: str
    setting: Sequence[tuple[str, str]] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[SortableTable] = ()


class Reader(Protocol):
    """The module of a claim's package."""

    def found(self, folders: Mapping[str, Path]) -> Found:
        """Our numbers, from the folders of its runs."""
        ...


def answer(claim: Claim, folders: Mapping[str, Path]) -> Found:
    """What the claim's own module reads in the folders of its runs."""
    return cast("Reader", import_module(f"{CLAIMS}.{claim.name}")).found(folders)
