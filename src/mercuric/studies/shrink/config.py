"""Which network is shrunk, on what is it trained, and what does it run on?"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from mercuric.accelerator import as_accelerator
from mercuric.accelerator.energy.layer_cost import fitting
from mercuric.subjects.config import ImageNetworkName, NetworkConfig, Seed
from mercuric.training import TrainingConfig
from mercuric.training.config import Positive


class ShrinkConfig(NetworkConfig):
    """A search for narrower forms of a network.

    Attributes:
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

    model: ImageNetworkName
    width: Annotated[float, Field(gt=0, le=1)] = 1.0
    train_examples: Positive | None = None
    seed: Seed = 0
    accelerator: str = "eyeriss-like"
    mercury: bool = False
    training: TrainingConfig = Field(default_factory=TrainingConfig)

    @model_validator(mode="after")
    def _energies_fit(self) -> Self:
        fitting(as_accelerator(self.accelerator))
        return self
