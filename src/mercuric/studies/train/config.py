"""What is compared, on what, and how?"""

from typing import Literal, Self

from pydantic import Field, model_validator

from mercuric.accelerator import as_accelerator
from mercuric.accelerator.mcache_owner import in_runs_mcache
from mercuric.errors import ArgumentError
from mercuric.reuse import Alike
from mercuric.reuse.config import ReuseConfig
from mercuric.subjects.config import NetworkConfig, Seed
from mercuric.training import TrainingConfig
from mercuric.training.config import Positive

RunName = Literal["dense", "reuse"]


class RunConfig(NetworkConfig):
    """A training experiment: the same network, data, order and initial weights, densely and with reuse.

    Attributes:
        vocabulary_size: of sentences: how many subwords there are at most; the data set's own by default.
        max_words: of sentences: pairs with a longer one are left out; all are kept by default.
        test_sentences: how many test sentences, the first ones, are translated; all by default.
        train_examples: the first so many of a fixed shuffle, the same ones for every run and seed; all
            by default.
        runs: ``("dense", "reuse")`` to compare, or one of them.
        seeds: initial weights, data order, augmentation and dropout follow from the seed.
        training: the training loop's settings.
        reuse: how layers compute. The MCACHE of an :class:`~mercuric.Alike` is also the simulated
            accelerator's; of other methods nothing is simulated, and seconds are compared.
        accelerator: a preset's name, or a YAML file, whose MCACHE must be that of ``reuse``.
    """

    vocabulary_size: Positive | None = None
    max_words: Positive | None = None
    test_sentences: Positive | None = None
    train_examples: Positive | None = None
    runs: tuple[RunName, ...] = ("reuse",)
    seeds: tuple[Seed, ...] = (0,)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    reuse: ReuseConfig = Field(default_factory=Alike)
    accelerator: str = "eyeriss-168"

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for key in ("runs", "seeds"):
            values = getattr(self, key)
            if not values or len(set(values)) < len(values):
                raise ArgumentError(f"{key} was {list(values)}, but must name at least one, and each once")
        return self

    @model_validator(mode="after")
    def _one_cache(self) -> Self:
        accelerator = as_accelerator(self.accelerator)
        if isinstance(self.reuse, Alike):
            in_runs_mcache(accelerator, self.reuse.cache)
        return self
