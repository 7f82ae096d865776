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

RunName = Literal["dense", "reuse", "mercury"]

LAYERS: dict[str, str] = {"reuse": "layers.csv", "mercury": "mercury.csv"}
"""Run to the file of what its layers did."""


class RunConfig(NetworkConfig):
    """A training experiment: the same network, data, order and initial weights, densely and with reuse.

    Attributes:
        vocabulary_size: of sentences: how many subwords there are at most; the data set's own by default.
        max_words: of sentences: pairs with a longer one are left out; all are kept by default.
        test_sentences: how many test sentences, the first ones, are translated; all by default.
        train_examples: the first so many of a fixed shuffle, the same ones for every run and seed; all
            by default.
        runs: ``("dense", "reuse")`` to compare, or one of them; ``"mercury"`` beside a ``reuse`` by another
            method.
        seeds: initial weights, data order, augmentation and dropout follow from the seed.
        training: the training loop's settings.
        reuse: how layers compute in the run of that name. The MCACHE of an :class:`~mercuric.Alike` is also
            the simulated accelerator's; of other methods nothing is simulated, and seconds are compared.
        mercury: how they do in the run of that name.
        accelerator: a preset's name, or a YAML file, whose MCACHE must be MERCURY's.
    """

    vocabulary_size: Positive | None = None
    max_words: Positive | None = None
    test_sentences: Positive | None = None
    train_examples: Positive | None = None
    runs: tuple[RunName, ...] = ("reuse",)
    seeds: tuple[Seed, ...] = (0,)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    reuse: ReuseConfig = Field(default_factory=Alike)
    mercury: Alike = Field(default_factory=Alike)
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
        for run in {"reuse", *self.runs}:
            config = self.method(run)
            if isinstance(config, Alike):
                in_runs_mcache(accelerator, config.cache)
        return self

    @model_validator(mode="after")
    def _mercury_once(self) -> Self:
        if "mercury" in self.runs and isinstance(self.reuse, Alike):
            raise ArgumentError(
                f"runs was {list(self.runs)}, but must have no mercury where reuse is MERCURY itself: it "
                "stands beside another method (--equal or --fast)"
            )
        return self

    def method(self, run: RunName) -> ReuseConfig | None:
        """How layers compute in a run; None: densely."""
        return {"dense": None, "reuse": self.reuse, "mercury": self.mercury}[run]

    @property
    def methods(self) -> dict[RunName, ReuseConfig]:
        """Runs that are not dense, and how layers compute in them."""
        return {run: config for run in self.runs if (config := self.method(run)) is not None}
