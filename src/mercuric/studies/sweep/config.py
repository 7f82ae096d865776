"""Which hardware does a sweep compare, and on what?"""

from itertools import product
from typing import Any, Self

from pydantic import field_validator, model_validator

from mercuric.accelerator import Accelerator, as_accelerator, found_with
from mercuric.accelerator.mcache_owner import simulated_config
from mercuric.config import require_once
from mercuric.errors import ArgumentError
from mercuric.reuse import Alike
from mercuric.subjects.config import RANDOM, DataConfig, DataName, NetworkName, Seed, SubjectConfig
from mercuric.subjects.providers.registry import provider_of
from mercuric.trace.supervised import Gradients, require_backward

NOT_IN_CYCLES = ("clock_mhz", "timing", "register_file_words", "energies")
"""Fields that no cycle count depends on; ``mercuric evaluate`` counts what does."""

Field = str | int | float | bool | None


class SweepConfig(DataConfig):
    """A sweep.

    Attributes:
        models: networks.
        vary: fields of the accelerator, and the values that each takes; every combination is simulated.
        accelerator: a preset's name or a YAML file: what the other fields are.
        data: a data set, for all networks; by default what each reads.
        weights: as a :class:`~mercuric.subjects.config.SubjectConfig` has them.
        images: how many images, or pairs of sentences.
        batch: examples that run at once, a minibatch to fully connected layers; by default as
            :class:`~mercuric.subjects.config.ExamplesConfig` says.
        seed: what random weights and projections are drawn from.
        bits: signature length.
        inference: count the forward product alone.
        gradients: whose Hitmap dO goes by: its layer's of the forward pass, or that of gradient vectors
            from labels and a loss (paper III-C2).
        energy: count energy and area as well, by the accelerator's table of energies.
    """

    models: tuple[NetworkName, ...]
    vary: dict[str, tuple[Field, ...]]
    accelerator: str = "eyeriss-168"
    data: DataName | None = None  # type: ignore[assignment]
    weights: str = RANDOM
    images: int = 2
    batch: int | None = None
    seed: Seed = 0
    bits: int = 20
    inference: bool = False
    gradients: Gradients = "forward-hits"
    energy: bool = False

    @field_validator("models")
    @classmethod
    def _each_once(cls, models: tuple[str, ...]) -> tuple[str, ...]:
        if not models:
            raise ArgumentError("models was empty, but must name at least one network")
        require_once("model", models)
        return models

    @field_validator("vary")
    @classmethod
    def _fields(cls, vary: dict[str, tuple[Field, ...]]) -> dict[str, tuple[Field, ...]]:
        known = [name for name in Accelerator.model_fields if name not in ("name", *NOT_IN_CYCLES)]
        for name, values in vary.items():
            if name in NOT_IN_CYCLES:
                raise ArgumentError(
                    f"field was {name!r}, but must be one that cycles depend on, which a sweep counts: "
                    f"{', '.join(known)}"
                )
            if name not in known:
                raise ArgumentError(f"field was {name!r}, but must be one of {', '.join(known)}")
            if not values:
                raise ArgumentError(f"field {name!r} had no value, but must have at least one")
            require_once(f"field {name!r}", values)
        return vary

    @model_validator(mode="after")
    def _has_gradients(self) -> Self:
        require_backward(self.gradients, not self.inference)
        return self

    def subject_of(self, model: str) -> SubjectConfig:
        """One of the networks; those that read sentences have no size of images."""
        sentences = provider_of(model).reads(model) == "sentences"
        size = None if sentences else self.image_size
        return self.subject(
            model=model,
            weights=self.weights,
            seed=self.seed,
            image_size=size,
            model_args=self.args_of(model, self.models),
        )

    def found_with(self) -> dict[str, Any]:
        """How similarity is found in every combination, ready for JSON: what varies is left out."""
        reuse = simulated_config(Alike.paper(bits=self.bits), as_accelerator(self.accelerator))
        return {name: value for name, value in found_with(reuse).items() if name not in self.vary}

    def combinations(self) -> list[dict[str, Field]]:
        """Every choice of values, the last field varying fastest."""
        return [dict(zip(self.vary, values, strict=True)) for values in product(*self.vary.values())]

    def accelerators(self) -> list[Accelerator]:
        """The accelerator of each combination.

        Raises:
            ValueError: an unknown accelerator, or a combination that can't be built: names it.
        """
        base = as_accelerator(self.accelerator)
        return [base.changed(**chosen) for chosen in self.combinations()]
