"""Which arrays do the assumptions describe?"""

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from mercuric.accelerator import Accelerator
from mercuric.errors import ArgumentError
from mercuric.studies.speedups.assumptions.assumption import DATAFLOWS, Assumptions, Chosen, combinations


@dataclass(frozen=True)
class Array:
    """An accelerator that assumptions describe.

    Attributes:
        dataflow: one of the paper's three.
        chosen: the assumptions about the array.
        accelerator: what they describe; its own dataflow may be another reading of the paper's.
    """

    dataflow: str
    chosen: Chosen
    accelerator: Accelerator

    @cached_property
    def digest(self) -> str:
        """What counts call it; accelerators that differ in any field have others."""
        return digest(self.accelerator.model_dump(mode="json"))


@dataclass(frozen=True)
class Refused:
    """Assumptions about an array that mean nothing together.

    Attributes:
        dataflow, chosen: as an array has them.
        why: what the accelerator says.
    """

    dataflow: str
    chosen: Chosen
    why: str


def digest(described: Any) -> str:
    """Twelve characters that stand for something that JSON can write."""
    return sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:12]


def arrays(assumptions: Assumptions, base: Accelerator) -> tuple[dict[str, list[Array]], list[Refused]]:
    """The arrays of each dataflow, one a combination of the assumptions about it, and those that can't be.

    Args:
        assumptions: what is left open.
        base: what the other fields are.
    """
    built: dict[str, list[Array]] = {dataflow: [] for dataflow in DATAFLOWS}
    refused: list[Refused] = []
    for dataflow, own in built.items():
        for chosen in combinations(assumptions.of(dataflow, "array")):
            if assumptions.why_not(chosen):
                continue
            fields = {"dataflow": dataflow, **assumptions.fields(chosen, "array")}
            try:
                own.append(Array(dataflow, chosen, base.changed(**fields)))
            except ArgumentError as error:
                refused.append(Refused(dataflow, chosen, str(error)))
    return built, refused
