"""What is compared, on what, and how?"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mercuric import data, zoo
from mercuric.accelerator import as_accelerator, presets
from mercuric.config import Config
from mercuric.errors import ArgumentError
from mercuric.reuse import Alike
from mercuric.reuse.config import AnyMethod
from mercuric.training import TrainingConfig
from mercuric.training.config import Positive

RunName = Literal["dense", "reuse"]


class RunConfig(Config):
    """A training experiment: the same network, data, order and initial weights, densely and with reuse.

    Attributes:
        model: a network of the zoo; ``"transformer"`` reads sentences, the others images.
        data: a data set's name.
        data_root: where its files lie; by default where ``mercuric data fetch`` puts them.
        image_size: side of the images in pixels; the data set's own by default.
        width: channels (of a Transformer, features) of each layer, times this.
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

    model: str
    data: str = "photos"
    data_root: str | None = None
    image_size: Annotated[int, Field(ge=1)] | None = None
    width: Annotated[float, Field(gt=0)] = 1.0
    vocabulary_size: Positive | None = None
    max_words: Positive | None = None
    test_sentences: Positive | None = None
    train_examples: Positive | None = None
    runs: tuple[RunName, ...] = ("reuse",)
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**32)], ...] = (0,)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    reuse: AnyMethod = Field(default_factory=Alike)
    accelerator: str = "eyeriss-168"

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        for key, known in (("model", zoo.all_names()), ("data", data.names())):
            if getattr(self, key) not in known:
                raise ArgumentError(
                    f"{key} was {getattr(self, key)!r}, but must be one of {', '.join(known)}"
                )
        for key in ("runs", "seeds"):
            values = getattr(self, key)
            if not values or len(set(values)) < len(values):
                raise ArgumentError(f"{key} was {list(values)}, but must name at least one, and each once")
        return self

    @model_validator(mode="after")
    def _one_cache(self) -> Self:
        """A preset counts with the run's MCACHE; who describes an accelerator says what it has."""
        accelerator, reuse = as_accelerator(self.accelerator), self.reuse
        described = accelerator.name not in {one.name for one in presets()}
        if described and isinstance(reuse, Alike) and accelerator.cache != reuse.cache:
            raise ArgumentError(
                f"reuse has an MCACHE of entries={reuse.entries}, ways={reuse.ways}, but must have "
                f"the entries={accelerator.entries}, ways={accelerator.ways} of accelerator "
                f"{accelerator.name!r}: "
                "a training run's Hitmaps come from its own MCACHE"
            )
        return self
