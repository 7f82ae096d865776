"""What does the paper leave open, and what is counted otherwise for each of the ways to read it?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Any, Literal

from mercuric.accelerator import Accelerator
from mercuric.config import require_once
from mercuric.errors import ArgumentError
from mercuric.studies.speedups.assumptions.sums import Sum
from mercuric.studies.speedups.study import PUBLISHED_MEAN

Level = Literal["run", "array", "sum"]
Chosen = dict[str, str]
"""Names of assumptions, and the value that each has."""

DATAFLOWS = tuple(PUBLISHED_MEAN)
"""Those of which the paper gives a mean."""
_FIELDS: Mapping[Level, tuple[str, ...]] = {
    "run": ("normalisation",),
    "array": tuple(name for name in Accelerator.model_fields if name != "name"),
    "sum": tuple(one.name for one in fields(Sum)),
}


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """Something that the paper's text leaves open.

    Attributes:
        name: what tables call it.
        level: whose fields it sets: of a ``"run"`` of the network, which finds Hitmaps; of the ``"array"``
            that counts them; or of the ``"sum"`` over what was counted.
        values: the ways to read the text, and the fields that each sets; the first is this package's own.
        sentence: the paper's words that leave it open.
        section: where they stand.
        dataflows: those that it says something of; on the others nothing is set.

    Raises:
        ValueError: a field that its level doesn't have, fewer than two values, or an unknown dataflow.
    """

    name: str
    level: Level
    values: Mapping[str, Mapping[str, Any]]
    sentence: str
    section: str
    dataflows: tuple[str, ...] = DATAFLOWS

    def __post_init__(self) -> None:
        known = _FIELDS[self.level]
        for field in {field for chosen in self.values.values() for field in chosen}:
            if field not in known:
                raise ArgumentError(
                    f"field of assumption {self.name!r} was {field!r}, but must be one of {', '.join(known)}"
                )
        if len(self.values) < 2:
            raise ArgumentError(
                f"values of assumption {self.name!r} was {', '.join(self.values) or 'empty'}, but must be "
                "two or more"
            )
        for dataflow in self.dataflows:
            if dataflow not in DATAFLOWS:
                raise ArgumentError(
                    f"dataflow of assumption {self.name!r} was {dataflow!r}, but must be one of "
                    f"{', '.join(DATAFLOWS)}"
                )

    @property
    def own(self) -> str:
        """The value that this package has without being asked."""
        return next(iter(self.values))

    @property
    def shared(self) -> bool:
        """Whether it says something of every dataflow."""
        return set(self.dataflows) == set(DATAFLOWS)


@dataclass(frozen=True)
class LeftOut:
    """Values that are not counted together, and why.

    Attributes:
        chosen: names of assumptions, all about the array or all about the sum, and a value of each.
        why: a clause.
    """

    chosen: Mapping[str, str]
    why: str

    @property
    def said(self) -> str:
        """``late HITs computed, design asynchronous: it takes hours``."""
        return f"{', '.join(f'{name} {value}' for name, value in self.chosen.items())}: {self.why}"

    def holds(self, chosen: Mapping[str, str]) -> bool:
        """Whether values are among those that are left out."""
        return all(chosen.get(name) == value for name, value in self.chosen.items())


@dataclass(frozen=True)
class Assumptions:
    """All that the paper leaves open.

    Attributes:
        all: the assumptions.
        left_out: values that are not counted together, beside those that no accelerator can have.

    Raises:
        ValueError: a name twice, or values are left out that no assumption has.
    """

    all: Sequence[Assumption]
    left_out: Sequence[LeftOut] = ()

    def __post_init__(self) -> None:
        require_once("assumption", [one.name for one in self.all])
        known = [(one.name, value) for one in self.all for value in one.values]
        for name, value in (pair for one in self.left_out for pair in one.chosen.items()):
            if (name, value) not in known:
                raise ArgumentError(f"left_out was {name} {value}, but must be a value of an assumption")

    def why_not(self, chosen: Mapping[str, str]) -> LeftOut | None:
        """Why values are not counted together; None where they are."""
        return next((one for one in self.left_out if one.holds(chosen)), None)

    def of(self, dataflow: str, level: Level | None = None) -> list[Assumption]:
        """Those that say something of a dataflow; where given, of one level."""
        return [one for one in self.all if dataflow in one.dataflows and level in (None, one.level)]

    def on(self, level: Level) -> list[Assumption]:
        """Those of one level."""
        return [one for one in self.all if one.level == level]

    @property
    def own(self) -> Chosen:
        """What this package assumes without being asked."""
        return {one.name: one.own for one in self.all}

    @property
    def number(self) -> int:
        """How many combinations there are, those among them that mean nothing."""
        return len(combinations(self.all))

    def fields(self, chosen: Mapping[str, str], level: Level) -> dict[str, Any]:
        """The fields that values set on one level."""
        set_by = [one.values[chosen[one.name]] for one in self.on(level) if one.name in chosen]
        return {field: value for values in set_by for field, value in values.items()}


def combinations(assumptions: Iterable[Assumption]) -> list[Chosen]:
    """Every choice of values, the last assumption varying fastest."""
    known = list(assumptions)
    return [
        dict(zip([one.name for one in known], values, strict=True))
        for values in product(*(one.values for one in known))
    ]
