"""How is a configuration checked, read and written?"""

from collections.abc import Collection, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from mercuric.errors import ArgumentError, MalformedError, described
from mercuric.files.reading import MOST_YAML, parse_yaml, read_text

_LONGEST_SHOWN = 200
"""Characters of a value that an error quotes."""


class Config(BaseModel):
    """A frozen configuration: the same object reads from YAML, prints as YAML, is saved with results.

    Raises:
        ValueError: an unknown key, or a value that is not allowed: one sentence that names it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, /, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise ArgumentError(_sentence(type(self), error)) from None

    def changed(self, **fields: Any) -> Self:
        """The same with other ``fields``, checked as a new configuration is.

        Raises:
            ValueError: an unknown key, or a value that is not allowed.
        """
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self)(**{**given, **fields})

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:  # noqa: ARG002
        """:meth:`changed`: pydantic's own would check nothing. All is frozen, so that no copy is deep."""
        return self.changed(**(update or {}))

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Read a configuration from YAML text.

        Raises:
            ValueError: the text is no YAML mapping, or a key or value is wrong.
        """
        if not isinstance(text, str):
            raise ArgumentError(f"text was {described(text)}, but must be YAML text")
        return cls(**_mapping(text, f"the {cls.__name__}"))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a configuration from a YAML file.

        Raises:
            ValueError: no such file, or its contents are wrong.
        """
        if not isinstance(path, str | PathLike):
            raise ArgumentError(f"path was {described(path)}, but must be a file's path")
        fields = read_mapping(path)
        try:
            return cls(**fields)
        except ValueError as error:
            raise ArgumentError(f"{path}: {error}") from None

    def to_yaml(self) -> str:
        """This configuration as YAML text, which :meth:`from_yaml` reads back."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def read_mapping(path: Path) -> dict[str, Any]:
    """The YAML mapping in a file, its keys as text; an empty file is an empty mapping.

    Raises:
        ValueError: no such file, or it holds something else.
    """
    try:
        text = read_text(path, MOST_YAML)
    except FileNotFoundError:
        raise MalformedError(f"the configuration {path} can't be read: no such file") from None
    except MalformedError as error:
        raise MalformedError(f"the configuration {error}") from None
    return _mapping(text, f"the configuration {path}")


def differences(
    before: Mapping[str, Any], now: Mapping[str, Any], free: Collection[str] = frozenset()
) -> str:
    """``"training.epochs was 1, now 2; ..."``: where two (nested) sets of fields differ; empty if nowhere.

    Args:
        before: the one.
        now: the other.
        free: fields that may differ, as ``"training.epochs"``.
    """
    left, right = _flat(before), _flat(now)
    keys = [*right, *(key for key in left if key not in right)]
    return "; ".join(
        f"{key} was {left.get(key, 'not there')}, now {right.get(key, 'not there')}"
        for key in keys
        if key not in free and (key not in left or key not in right or left[key] != right[key])
    )


def require_once(argument: str, values: Sequence[Any]) -> None:
    """Refuse a value that is given twice.

    Raises:
        ValueError: names the argument and the values.
    """
    twice = [value for place, value in enumerate(values) if value in values[:place]]
    if twice:
        shown = ", ".join(map(str, values))
        raise ArgumentError(f"{argument} was {shown}, but must name each once: {twice[0]} is there twice")


def mismatches(saved: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """``"bits was 12, but must be 20"``, an entry for each field that was saved otherwise."""
    return [
        f"{key} was {saved.get(key)}, but must be {here.get(key)}"
        for key in {**here, **saved}
        if saved.get(key) != here.get(key)
    ]


def _flat(fields: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in fields.items():
        flat.update(_flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value})
    return flat


def _mapping(text: str, name: str) -> dict[str, Any]:
    fields = parse_yaml(text, name)
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise MalformedError(f"{name} was a {type(fields).__name__}, but must be a YAML mapping")
    return fields


def _sentence(cls: type[Config], error: ValidationError) -> str:
    problems = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = ", ".join(cls.model_fields)
            problems.append(f"{cls.__name__} has no key {key!r} (it has: {known})")
        elif problem["type"] == "unexpected_keyword_argument":
            problems.append(f"{key} was given, but there is no such key")
        elif problem["type"] == "missing":
            problems.append(f"{key} of the {cls.__name__} is missing, but must be given")
        elif problem["type"] == "value_error":
            problems.append(str(problem["ctx"]["error"]))
        else:
            must = problem["msg"].removeprefix("Input ").removeprefix("should ").removeprefix("must ")
            problems.append(f"{key} was {_shown(problem['input'])}, but must {must}")
    return "; ".join(problems)


def _shown(value: object) -> str:
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
