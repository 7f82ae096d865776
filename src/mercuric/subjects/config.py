"""Which network, with which weights, on which data?"""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from mercuric import data, zoo
from mercuric.config import Config
from mercuric.errors import ArgumentError
from mercuric.training.config import Positive
from mercuric.zoo.pretrained import PRETRAINED, Pretrained, check_fit

RANDOM = "random"
DATA = {"images": "photos", "sentences": "help-en-de"}
"""What a network reads where no data are named."""
_PRETRAINED_SIZE = 224


def _one_of(name: str, info: ValidationInfo, known: tuple[str, ...]) -> str:
    if name not in known:
        argument = (info.field_name or "name").removesuffix("s")
        raise ArgumentError(f"{argument} was {name!r}, but must be one of {', '.join(known)}")
    return name


NetworkName = Annotated[str, AfterValidator(lambda name, info: _one_of(name, info, zoo.all_names()))]
"""A network of the zoo."""
ImageNetworkName = Annotated[str, AfterValidator(lambda name, info: _one_of(name, info, zoo.names()))]
"""A network of the zoo that reads images."""
DataName = Annotated[str, AfterValidator(lambda name, info: _one_of(name, info, data.names()))]
"""A data set."""
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**32)]


class DataConfig(Config):
    """The data that networks read.

    Attributes:
        data: a data set's name; by default ``photos``, or ``help-en-de`` for a network that reads sentences.
        data_root: where its files and the pretrained weights lie; by default where ``mercuric data fetch``
            puts them.
        image_size: side of the images in pixels; 224 for pretrained weights, else the data set's own.
    """

    data: DataName = DATA["images"]
    data_root: str | None = None
    image_size: Positive | None = None

    @property
    def root(self) -> Path | None:
        """``data_root`` as a path."""
        return None if self.data_root is None else Path(self.data_root)

    def subject(self, **fields: Any) -> "SubjectConfig":
        """A network (``model``, and what else a :class:`SubjectConfig` has) on these data.

        Raises:
            ValueError: the network does not read such data, or the weights do not fit it.
        """
        own = {key: getattr(self, key) for key in DataConfig.model_fields}
        return SubjectConfig(**{**own, **fields})


class NetworkConfig(DataConfig):
    """A network of the zoo, and the data that it reads.

    Attributes:
        model: the network; ``"transformer"`` reads sentences, the others images.
        width: channels (of a Transformer, features) of each layer, times this.

    Raises:
        ValueError: an unknown name, or the network does not read such data.
    """

    model: NetworkName
    width: Annotated[float, Field(gt=0)] = 1.0

    @model_validator(mode="before")
    @classmethod
    def _data_that_it_reads(cls, fields: dict[str, Any]) -> dict[str, Any]:
        if fields.get("data") is not None:
            return fields
        given = {key: value for key, value in fields.items() if key != "data"}
        return {**given, "data": DATA["sentences"]} if given.get("model") == zoo.TRANSFORMER else given

    @model_validator(mode="after")
    def _reads_what_they_hold(self) -> Self:
        holds, reads = data.holds(self.data), zoo.reads(self.model)
        if holds != reads:
            raise ArgumentError(
                f"data was {self.data!r}, which holds {holds}, but {self.model} needs {reads}"
            )
        return self


class SubjectConfig(NetworkConfig):
    """A network of the zoo, its weights, and the data that it reads.

    Attributes:
        weights: ``"random"``, a name of ``mercuric.zoo.pretrained``, which is fetched where it is not there
            yet, or a file: a training's checkpoint, safetensors or a state dict of ``torch.save``.
        seed: what random weights are drawn from.

    Raises:
        ValueError: pretrained weights of another network, or of images of another size.
    """

    weights: str = RANDOM
    seed: Seed = 0

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        if self.pretrained is not None:
            check_fit(self.weights, self.model, self.size or _PRETRAINED_SIZE)
        return self

    @property
    def pretrained(self) -> Pretrained | None:
        """The weights, where they are of ``mercuric.zoo.pretrained``."""
        return PRETRAINED.get(self.weights)

    @property
    def from_file(self) -> bool:
        """Whether the weights are a file: those of a network that was trained on such data."""
        return self.weights != RANDOM and self.pretrained is None

    @property
    def size(self) -> int | None:
        """Side of the images in pixels; None for the data set's own."""
        return (
            _PRETRAINED_SIZE if self.pretrained is not None and self.image_size is None else self.image_size
        )

    @property
    def drawn_or_from(self) -> str:
        """Seed, name or path of the weights: how they are had again."""
        drawn = f"random, seed {self.seed}" if self.weights == RANDOM else self.weights
        return f"{drawn}{self._of_width}"

    @property
    def shown_weights(self) -> str:
        """How pictures name the weights; of a file, enough of the path to tell it from others."""
        if self.weights == RANDOM:
            return f"random weights, seed {self.seed}{self._of_width}"
        if self.pretrained is not None:
            return self.pretrained.shown
        path = Path(self.weights).resolve()
        run = path.parent.parent.name if path.parent.name == "checkpoints" else path.parent.name
        return f"trained weights, {run}/{path.name}{self._of_width}"

    @property
    def _of_width(self) -> str:
        return "" if self.width == 1 else f", width {self.width:g}"


class ExamplesConfig(SubjectConfig):
    """A subject, and how many examples it reads.

    Attributes:
        images: how many images, or pairs of sentences: those that stand for all, of each class some.
        batch: examples that run at once; fully connected layers compare these. By default as many as
            hold the pixels of 16 images of 64 x 64, at least one; 64 pairs of sentences.
    """

    images: int = 16
    batch: Annotated[int, Field(strict=True)] | None = None
