"""Which method do layers compute by, and with which settings?"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ModelWrapValidatorHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from mercuric.config import Config
from mercuric.errors import ArgumentError, described
from mercuric.reuse.judge.judge import Judge

PresetName = Literal["default", "paper", "fast"]


class ReuseConfig(Config):
    """How layers compute: what :class:`~mercuric.Alike` and :class:`~mercuric.Directions` have in common.

    Called by itself, it makes the one that ``method`` names, ``Alike`` where nothing does. What was written
    when one configuration served both methods is read as that of the method that it was of.

    Attributes:
        method: the method's name.

    Raises:
        ValueError: there is no such method.
    """

    method: str

    def __new__(cls, /, **fields: Any) -> Self:
        chosen: Any = _named(_current(fields).get("method", "alike")) if cls is ReuseConfig else cls
        return super().__new__(chosen)  # type: ignore[no-any-return]

    def __init__(self, /, **fields: Any) -> None:
        current = _current(fields)
        _require_own(type(self), current)
        super().__init__(**current)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler, /) -> CoreSchema:
        """A field of any method is written as what it holds."""
        schema: Any = handler(source)
        if cls.__base__ is Config:  # this class, which has no name yet
            schema["serialization"] = core_schema.simple_ser_schema("any")
        return schema  # type: ignore[no-any-return]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        """That of any method."""
        if cls is not ReuseConfig:
            return handler(schema)
        return {"anyOf": [handler(config.__pydantic_core_schema__) for config in METHODS]}

    @model_validator(mode="wrap")
    @classmethod
    def _of_its_method(cls, given: Any, validated: ModelWrapValidatorHandler[Self]) -> Any:
        if cls is ReuseConfig and isinstance(given, Mapping):
            return cls(**{str(key): value for key, value in given.items()})
        return validated(given)

    def judge(self, layers: Sequence[str]) -> Judge | None:  # noqa: ARG002 - for those that want one
        """What decides, step by step, which of these layers are on; None: nothing does."""
        return None

    @classmethod
    def paper(cls, **fields: Any) -> "ReuseConfig":
        """MERCURY as published; see :meth:`mercuric.Alike.paper`."""
        return cls._made(PRESETS["paper"](**fields), "paper")

    @classmethod
    def fast(cls, *settings: Any, **fields: Any) -> "ReuseConfig":
        """What is fastest on this machine; see :meth:`mercuric.Directions.fast`."""
        return cls._made(PRESETS["fast"](*settings, **fields), "fast")

    @classmethod
    def _made(cls, made: "ReuseConfig", preset: str) -> "ReuseConfig":
        if isinstance(made, cls):
            return made
        raise ArgumentError(f"{cls.__name__} has no preset {preset!r}, but {type(made).__name__} has")


METHODS: dict[type[ReuseConfig], object] = {}
"""A configuration's class to its :class:`~mercuric.reuse.method.Method`, which stands above configurations;
:mod:`mercuric.reuse.methods` names all."""

PRESETS: dict[PresetName, Callable[..., ReuseConfig]] = {}
"""Names that stand for configurations."""


def as_config(given: ReuseConfig | PresetName | None) -> ReuseConfig:
    """A configuration, or the preset of that name; None is the default.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(given, ReuseConfig):
        return given
    if given is None:
        return PRESETS["default"]()
    known = ", ".join(f'"{name}"' for name in PRESETS)
    if isinstance(given, str):
        if given in PRESETS:
            return PRESETS[given]()
        raise ArgumentError(f"config was {given!r}, but must be a ReuseConfig or one of {known}")
    hint = ""
    if isinstance(given, dict):
        hint = " (ReuseConfig(**settings))"
    elif isinstance(given, type) and issubclass(given, ReuseConfig):
        hint = f", not its class ({given.__name__}()),"
    raise ArgumentError(f"config was {described(given)}, but must be a ReuseConfig{hint} or one of {known}")


def _require_own(own: type[ReuseConfig], fields: Mapping[str, Any]) -> None:
    """Refuse another method's fields in a sentence that names that method."""
    if fields.get("method", own.model_fields["method"].default) != own.model_fields["method"].default:
        raise ArgumentError(
            f"method was {fields['method']!r}, but must be {own.model_fields['method'].default!r}"
        )
    foreign = [key for key in fields if key not in own.model_fields]
    for other in METHODS:
        if foreign and set(foreign) <= other.model_fields.keys():
            raise ArgumentError(
                f"{', '.join(foreign)} was given to {own.__name__}, but must be given to {other.__name__} "
                f"(method: {other.model_fields['method'].default})"
            )


def _named(method: object) -> type[ReuseConfig]:
    known = {config.model_fields["method"].default: config for config in METHODS}
    if isinstance(method, str) and method in known:
        return known[method]
    raise ArgumentError(f"method was {method!r}, but must be one of {', '.join(map(repr, known))}")


_OF_SIMILARITY = {
    "bits", "granularity", "magnitude", "projection", "scope", "entries", "ways", "backward", "seed",
}  # fmt: skip


def _current(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields; those of 0.4, where ``principal`` told the method, as the method's own."""
    if "principal" not in fields or "method" in fields:
        return fields
    rest = {key: value for key, value in fields.items() if key != "principal"}
    if fields["principal"] is None:
        return rest
    if rest.get("adaptation", 0) is None:
        del rest["adaptation"]
    if not isinstance(fields["principal"], Mapping | ReuseConfig):
        raise ArgumentError(f"principal was {described(fields['principal'])}, but must be a mapping or None")
    left = {key: value for key, value in rest.items() if key not in _OF_SIMILARITY}
    return {**dict(fields["principal"]), **left, "method": "directions"}
