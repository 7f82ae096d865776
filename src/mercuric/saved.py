"""How is a saved state checked, as a whole, before anything goes on from it?"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field

from mercuric.config import Config

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
        try:
            return cls(**mapping(state, name))
        except ValueError as error:
            raise ValueError(f"{name} is broken: {error}") from None

    def plain(self) -> dict[str, Any]:
        """The state as dictionaries, lists, texts and numbers (and tensors, where it has any)."""
        return self.model_dump()


def mapping(state: object, name: str) -> dict[str, Any]:
    """A dictionary whose keys are text.

    Raises:
        ValueError: it is something else, or is nested too deeply for a state.
    """
    if not isinstance(state, Mapping) or not all(isinstance(key, str) for key in state):
        raise ValueError(f"{name} was a {type(state).__name__}, but must be a mapping with text for keys")
    if _deeper(state, DEEPEST):
        raise ValueError(f"{name} is nested deeper than the {DEEPEST} levels of a saved state")
    return dict(state)


def parse_json(text: str | bytes) -> Any:
    """What JSON text holds.

    Raises:
        ValueError: it is no JSON, has numbers that are too long, or is nested too deeply.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels") from None
    except ValueError as error:
        raise ValueError(f"it is no JSON ({error})") from None
    if _deeper(content, DEEPEST):
        raise ValueError(f"it is nested deeper than {DEEPEST} levels")
    return content


def _deeper(content: object, levels: int) -> bool:
    layer = [content]
    for _ in range(levels + 1):
        layer = [
            inner
            for one in layer
            if isinstance(one, Mapping | list | tuple)
            for inner in (one.values() if isinstance(one, Mapping) else one)
        ]
        if not layer:
            return False
    return True
