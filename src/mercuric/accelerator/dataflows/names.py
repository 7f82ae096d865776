"""Which dataflow has this name?

An ``Accelerator`` checks itself by what its dataflow refuses, so this is below both and knows no more.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from mercuric.errors import ArgumentError


class Named(Protocol):
    """What an accelerator that is being made asks of a dataflow."""

    @property
    def name(self) -> str:
        """What ``Accelerator.dataflow`` calls it."""
        ...

    def fixed_options(self, accelerator: Any, /) -> Mapping[str, str]:
        """Options of an accelerator that must keep their defaults: where they must, and why."""
        ...


DATAFLOWS: dict[str, Named] = {}
"""Every dataflow that an accelerator can have, by name."""


def dataflow_named(name: str, argument: str = "dataflow") -> Named:
    """The dataflow of this name.

    Raises:
        ValueError: there is none; calls the name ``argument``.
    """
    if name not in DATAFLOWS:
        raise ArgumentError(f"{argument} was {name!r}, but must be one of {', '.join(map(repr, DATAFLOWS))}")
    return DATAFLOWS[name]
