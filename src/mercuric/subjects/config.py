"""Which network, with which weights, on which data?"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, JsonValue, ValidationInfo, model_validator

from mercuric import data, zoo
from mercuric.config import Config
from mercuric.errors import ArgumentError
from mercuric.subjects.providers.registry import ZOO, forms, is_name, provider_of
from mercuric.training.config import Positive
from mercuric.zoo.pretrained import PRETRAINED, Pretrained, check_fit

RANDOM = "random"
DATA = {"images": "photos", "sentences": "help-en-de"}
"""What a network reads where no data are named."""
_PRETRAINED_SIZE = 224
_NO_FOLDER = re.compile(r"[^\w.+-]+")


def _data(name: str) -> str:
    if not data.is_known(name):
        raise ArgumentError(
            f"data was {name!r}, but must be one of {', '.join(data.names())}; of your own {data.own_forms()}"
        )
    return name


def require_network(name: str, argument: str, known: tuple[str, ...]) -> str:
    """The same name, where it is one of ``known``, or of a network that is not of the zoo.

    Raises:
        ValueError: it isn't; ``argument`` is what it calls the name.
    """
    if name in known or (name not in zoo.all_names() and is_name(name)):
        return name
    raise ArgumentError(f"{argument} was {name!r}, but must be one of {', '.join(known)}, or {forms()}")


def _argument(info: ValidationInfo) -> str:
    return (info.field_name or "model").removesuffix("s")


NetworkName = Annotated[
    str, AfterValidator(lambda name, info: require_network(name, _argument(info), zoo.all_names()))
]
"""A network: of the zoo, or of another provider."""
ImageNetworkName = Annotated[
    str, AfterValidator(lambda name, info: require_network(name, _argument(info), zoo.names()))
]
"""A network that doesn't read sentences."""
DataName = Annotated[str, AfterValidator(_data)]
"""A data set; one's own with its place, as ``imagefolder:DIR``."""
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**32)]


def shown_name(name: str) -> str:
    """A network or data set in a file's name: ``nets-small`` of ``a/nets.py:small``."""
    parts = [
        Path(part).stem if part.endswith((".py", ".onnx", ".npz")) else Path(part).name
        for part in name.split(":")
    ]
    return _NO_FOLDER.sub("-", "-".join(parts)).strip("-")


class DataConfig(Config):
    """The data that networks read, and what networks are made with.

    Attributes:
        data: a data set's name, ``imagefolder:DIR``, ``npz:FILE`` or ``random:SHAPE``; by default
            ``photos``, or ``help-en-de`` for a network that reads sentences.
        data_root: where its files and the pretrained weights lie; by default where ``mercuric data fetch``
            puts them.
        image_size: side of the images in pixels; 224 for pretrained weights, else what the network was made
            for, else the data set's own.
        model_args: arguments of the networks, which those of the zoo have none of.
    """

    data: DataName = DATA["images"]
    data_root: str | None = None
    image_size: Positive | None = None
    model_args: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def root(self) -> Path | None:
        """``data_root`` as a path."""
        return None if self.data_root is None else Path(self.data_root)

    def __hash__(self) -> int:
        """Of what it says: arguments are a dictionary, which has no hash of its own."""
        return hash(self.to_yaml())

    def args_of(self, model: str, models: Sequence[str]) -> dict[str, JsonValue]:
        """Arguments of one of several ``models``: of the zoo beside others it has none."""
        others = any(provider_of(one) is not ZOO for one in models)
        return {} if provider_of(model) is ZOO and others else self.model_args

    def subject(self, **fields: Any) -> "SubjectConfig":
        """A network (``model``, and what else a :class:`SubjectConfig` has) on these data.

        Raises:
            ValueError: the network does not read such data, or the weights do not fit it.
        """
        own = {key: getattr(self, key) for key in DataConfig.model_fields}
        return SubjectConfig(**{**own, **fields})


class NetworkConfig(DataConfig):
    """A network, and the data that it reads.

    Attributes:
        model: the network: a name of the zoo, of which ``"transformer"`` reads sentences, the others images,
            or ``FILE.py:FACTORY`` and the like (:mod:`mercuric.subjects.providers`).
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
        holds, reads = data.holds(self.data), provider_of(self.model).reads(self.model)
        needed = "sentences" if reads == "sentences" else "images"
        if (holds == "sentences") != (reads == "sentences"):
            raise ArgumentError(
                f"data was {self.data!r}, which holds {holds}, but {self.model} needs {needed}"
            )
        return self


class SubjectConfig(NetworkConfig):
    """A network, its weights, and the data that it reads.

    Attributes:
        weights: ``"random"``, which leaves a network that has its own as it is; a name of
            ``mercuric.zoo.pretrained``, which is fetched where it is not there yet; or a file: a training's
            checkpoint, safetensors or a state dict of ``torch.save``.
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
        own = provider_of(self.model).weights(self.model) or "random"
        drawn = f"{own}, seed {self.seed}" if self.weights == RANDOM else self.weights
        return f"{drawn}{self._of_width}"

    @property
    def shown_weights(self) -> str:
        """How pictures name the weights; of a file, enough of the path to tell it from others."""
        if self.weights == RANDOM:
            own = provider_of(self.model).weights(self.model)
            drawn = "random weights" if own is None else f"weights {own}"
            return f"{drawn}, seed {self.seed}{self._of_width}"
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
