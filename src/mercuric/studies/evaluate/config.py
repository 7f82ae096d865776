"""What is evaluated, and on which accelerators?"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.engines.second_opinion import Engine
from mercuric.config import Config
from mercuric.errors import ArgumentError
from mercuric.subjects.weighted_network import RANDOM

COMPARABLE = ("eyeriss-like", "simple-weight-stationary", "simple-output-stationary")
"""Three dataflows on equal PEs, memories and words."""

_Positive = Annotated[int, Field(strict=True)]


class EvaluationConfig(Config):
    """What is evaluated, and on which accelerators.

    Attributes:
        model: a network of the zoo.
        accelerators: presets by name, or YAML files.
        batches: images in a batch; each is counted for itself.
        data: a data set of images; the first images of its training part are taken.
        data_root: where its files and the pretrained weights lie.
        weights: ``"random"``, a name of ``mercuric.zoo.pretrained``, or a training run's checkpoint.
        image_size: side of the images in pixels; the data set's own where none is given.
        energies: a table of energies by name, or its YAML file; each accelerator's own by default.
        timing: which baseline leads in the report; files hold both.
        inference: count the forward product alone.
        dense: leave MERCURY out: shapes alone are read, so a batch needs neither images nor memory.
        engine: ``"zigzag"`` asks ZigZag as well for the dense forward layers.
        seed: what random weights are drawn from.

    Raises:
        ValueError: an accelerator or a batch is missing, there twice, or a batch is under 1.
    """

    model: str
    accelerators: tuple[str, ...] = COMPARABLE
    batches: tuple[_Positive, ...] = (1,)
    data: str = "photos"
    data_root: str | None = None
    weights: str = RANDOM
    image_size: int | None = None
    energies: str | None = None
    timing: Timing = "fair"
    inference: bool = False
    dense: bool = False
    engine: Engine = "native"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

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
