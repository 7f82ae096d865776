"""What does a source claim, and when does that hold? A declaration, in a folder of its own."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from mercuric.config import Config
from mercuric.errors import ArgumentError
from mercuric.files.reading import parse_yaml

SOURCES = {
    "mercury": "MERCURY (Janfaza et al., HPCA 2023)",
    "software": "MERCURY in software on CIFAR-10 (student project)",
    "scale-sim": "Architectural Study of MERCURY (CSCE 614, Texas A&M, 2024)",
    "mapping": "Efficiently Map DNN Models onto Existing Hardware Architecture (6.5930, MIT)",
}
"""Who claims it, by name."""

CLAIMS = "mercuric.studies.reproduce.claims"
"""A package for each claim: ``claim.yaml``, and a module that reads what its runs found."""


class Statement(Config):
    """One thing that a source says.

    Attributes:
        says: what it is about.
        paper: the source's number, in ``unit``; None where it says no number.
        unit: of the numbers.
        test: ``"near"``: ours is within ``tolerance`` of the source's; ``"at_least"`` and ``"at_most"``: ours
            is not below, not above it; ``"true"``: ours is a truth.
        tolerance: a share of the source's number.
    """

    says: str
    paper: float | None = None
    unit: Literal["times", "share", "points", "number"] = "number"
    test: Literal["near", "at_least", "at_most", "true"] = "near"
    tolerance: Annotated[float, Field(gt=0)] = 0.15


class Claim(Config):
    """A figure, a table or a sentence with a number.

    Attributes:
        name: of its folder.
        title: in a few words.
        part: of the source, as ``"Fig. 14c"``.
        source: a name of :data:`SOURCES`.
        section: of the source.
        sentence: the source's own.
        runs: of which studies it needs the folders; names of ``runs.yaml``.
        statements: what is tested.
        assumptions: what the source leaves open and was chosen here.
        headline: whether its first number is a key figure.
    """

    name: str
    title: str
    part: str
    source: Literal["mercury", "software", "scale-sim", "mapping"]
    section: str = ""
    sentence: str
    runs: tuple[str, ...]
    statements: dict[str, Statement]
    assumptions: str = ""
    headline: bool = False


@cache
def all_claims() -> Mapping[str, Claim]:
    """Every claim by name, in the order of their sources."""
    there = [one for one in files(CLAIMS).iterdir() if (one / "claim.yaml").is_file()]
    found = [Claim(name=one.name, **_mapping(one / "claim.yaml")) for one in there]
    places = list(SOURCES)
    found.sort(key=lambda one: (places.index(one.source), _natural(one.name)))
    return {one.name: one for one in found}


def chosen_claims(names: Sequence[str]) -> list[Claim]:
    """Claims by name; ``all`` is every one.

    Raises:
        ValueError: there is no such claim; says which there are.
    """
    known = all_claims()
    if "all" in names:
        return list(known.values())
    for name in names:
        if name not in known:
            raise ArgumentError(f"claim was {name!r}, but must be all or one of {', '.join(known)}")
    return [claim for claim in known.values() if claim.name in names]


def _natural(name: str) -> tuple[bool, str, int, str]:
    """``figure_3`` before ``figure_14a``, and figures before all else."""
    kind, _, rest = name.partition("_")
    digits = "".join(letter for letter in rest if letter.isdigit())
    return kind != "figure", kind if digits else name, int(digits or 0), rest


def _mapping(path: Traversable) -> dict[str, Any]:
    return cast("dict[str, Any]", parse_yaml(path.read_text(encoding="utf-8"), path.name))
