"""Which network is shrunk, on what is it trained, and what does it run on?"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from mercuric import data, zoo
from mercuric.accelerator import as_accelerator
from mercuric.accelerator.energy.layer_cost import fitting
from mercuric.config import Config
from mercuric.errors import ArgumentError
from mercuric.training import TrainingConfig
from mercuric.training.config import Positive


class ShrinkConfig(Config):
    """A search for narrower forms of a network.

    Attributes:
        model: a network of the zoo that reads images.
        data: a data set of images.
        data_root: where its files lie.
        image_size: side of the images in pixels; the data set's own by default.
        width: channels of the network that the search starts from, times this.
        train_examples: the same first so many of a fixed shuffle for every network; all by default.
        seed: of initial weights, data order, augmentation, dropout, and of the search.
        accelerator: a preset's name or a YAML file: what energy and latency are of.
        mercury: search by the energy and latency with MERCURY; those without are noted as well.
        training: how each network is trained.

    Raises:
        ValueError: an unknown name, a number out of range, or energies of other words than the
            accelerator's.
    """

    model: str
    data: str = "photos"
    data_root: str | None = None
    image_size: Positive | None = None
    width: Annotated[float, Field(gt=0, le=1)] = 1.0
    train_examples: Positive | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    accelerator: str = "eyeriss-like"
    mercury: bool = False
    training: TrainingConfig = Field(default_factory=TrainingConfig)

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        for key, known in (("model", zoo.names()), ("data", data.names())):
            if getattr(self, key) not in known:
                raise ArgumentError(
                    f"{key} was {getattr(self, key)!r}, but must be one of {', '.join(known)}"
                )
        fitting(as_accelerator(self.accelerator))
        return self
