"""What is evaluated, and on which accelerators?"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.engines.second_opinion import Engine
from mercuric.errors import ArgumentError
from mercuric.subjects.config import ImageNetworkName, SubjectConfig

COMPARABLE = ("eyeriss-like", "simple-weight-stationary", "simple-output-stationary")
"""Three dataflows on equal PEs, memories and words."""

_Positive = Annotated[int, Field(strict=True)]


class EvaluationConfig(SubjectConfig):
    """What is evaluated, and on which accelerators.

    Attributes:
        accelerators: presets by name, or YAML files.
        batches: images in a batch; each is counted for itself.
        energies: a table of energies by name, or its YAML file; each accelerator's own by default.
        timing: which baseline leads in the report; files hold both.
        inference: count the forward product alone.
        dense: leave MERCURY out: shapes alone are read, so a batch needs neither images nor memory.
        engine: ``"zigzag"`` asks ZigZag as well for the dense forward layers.

    Raises:
        ValueError: an accelerator or a batch is missing, there twice, or a batch is under 1.
    """

    model: ImageNetworkName
    accelerators: tuple[str, ...] = COMPARABLE
    batches: tuple[_Positive, ...] = (1,)
    energies: str | None = None
    timing: Timing = "fair"
    inference: bool = False
    dense: bool = False
    engine: Engine = "native"

    @model_validator(mode="after")
    def _lists_make_sense(self) -> Self:
        for argument in ("accelerators", "batches"):
            values = getattr(self, argument)
            if not values or len(set(values)) < len(values):
                shown = ", ".join(map(str, values)) or "empty"
                raise ArgumentError(f"{argument} was {shown}, but must be one or more, each once")
        for batch in self.batches:
            if not 1 <= batch < 2**31:
                raise ArgumentError(f"batch was {batch}, but must be at least 1 and under 2^31")
        return self
