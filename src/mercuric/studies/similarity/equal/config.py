"""Whose classes of equal vectors are shown, on which image?"""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from mercuric.config import Config
from mercuric.reuse.equal.config import MAX_LEVELS
from mercuric.reuse.vectors import Scope
from mercuric.studies.bench.equal.config import NetworkName
from mercuric.subjects.config import DataName, Seed
from mercuric.training.config import Positive


class EqualSimilarityConfig(Config):
    """A study of equal vectors; weights do not change which are equal, so they are random.

    Attributes:
        study: ``"equal"``.
        model: a network.
        model_args: arguments of a network that is not of the zoo.
        data: a data set's name.
        data_root: where its files lie; by default where ``mercuric data fetch`` puts them.
        image_size: side of the images in pixels; by default the data set's own.
        images: training images in the batch, those that stand for all.
        levels, scope: see :class:`~mercuric.reuse.equal.config.Equal`.
        seed: of the weights.
    """

    study: Literal["equal"] = "equal"
    model: NetworkName
    model_args: dict[str, JsonValue] = Field(default_factory=dict)
    data: DataName
    data_root: str | None = None
    image_size: Positive | None = None
    images: Annotated[int, Field(strict=True)] = 1
    levels: Annotated[int, Field(strict=True, ge=2, le=MAX_LEVELS)] | None = None
    scope: Scope = "batch"
    seed: Seed = 0
