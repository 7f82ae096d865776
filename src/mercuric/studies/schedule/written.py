"""What does ``schedule.json`` say?"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

FIGURES = "schedule.json"
NUMBERS = (
    "share", "rank", "seeds", "diverged", "accuracy", "spread", "gain", "gain_spread", "steps", "seconds",
    "filled",
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """The file's contents, with names for its parts.

    Attributes:
        summary: the contents.
    """

    summary: Mapping[str, Any]

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """A row a share and form; see :func:`~mercuric.studies.schedule.ranking.ranked`."""
        table = pd.DataFrame(self.summary["ranking"], columns=["form", *NUMBERS])
        return table.astype(dict.fromkeys(NUMBERS, float))

    @property
    def forms(self) -> list[dict[str, Any]]:
        """How each form computes, with what it was trained, and what it chose."""
        forms: list[dict[str, Any]] = self.summary["forms"]
        return forms

    @property
    def shown(self) -> dict[str, str]:
        """Form to how tables have it."""
        return {form["form"]: form["shown"] for form in self.forms}

    @property
    def left_out(self) -> dict[str, str]:
        """What was not trained, to the sentence that says why."""
        why: dict[str, str] = self.summary["left_out"]
        return why
