"""How is a saved state checked, as a whole, before anything goes on from it?"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field

from mercuric.config import Config
from mercuric.errors import ArgumentError
from mercuric.files.reading import deeper

DEEPEST = 32
"""Levels of dictionaries and lists that a saved state has at most; ours have nine."""

Whole = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
Switch = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(strict=True)]
Finite = Annotated[float, Field(strict=True)]
Figure = Annotated[float, Field(strict=True, allow_inf_nan=True)]
"""As measured: a network that diverges has errors and losses that are no longer finite."""


class SavedState(Config):
    """A state as it is written and as it is read again: one model for both."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    @classmethod
    def of(cls, state: object, name: str) -> Self:
        """The state, checked.

        Args:
            state: what a file or a caller gave.
            name: what to call it.

        Raises:
            ValueError: it is not such a state: one sentence that names what is wrong.
        """
        fields = mapping(state, name)
        try:
            return cls(**fields)
        except ValueError as error:
            raise ArgumentError(f"{name} is broken: {error}") from None

    def plain(self) -> dict[str, Any]:
        """The state as dictionaries, lists, texts and numbers (and tensors, where it has any)."""
        return self.model_dump()


def mapping(state: object, name: str) -> dict[str, Any]:
    """A dictionary whose keys are text.

    Raises:
        ValueError: it is something else, or is nested too deeply for a state.
    """
    if not isinstance(state, Mapping) or not all(isinstance(key, str) for key in state):
        raise ArgumentError(f"{name} was a {type(state).__name__}, but must be a mapping with text for keys")
    if deeper(state, DEEPEST):
        raise ArgumentError(f"{name} is nested deeper than the {DEEPEST} levels of a saved state")
    return dict(state)
