"""How is a file read that anybody may have written?"""

import json
import os
from collections.abc import Iterable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from mercuric.errors import ArgumentError, MalformedError
from mercuric.files.regular import irregular

MOST_JSON = 64 << 20
MOST_LOG = 1 << 30
MOST_YAML = 256 << 10
"""Bytes of a JSON file, one of a JSON object a line, and a YAML file: far more than results have."""

MOST_DEPTH = 50
"""Mappings and lists within each other."""


def read_bytes(path: Path, most: int = MOST_JSON) -> bytes:
    """The content of a regular file; a pipe is not waited for.

    Args:
        path: the file.
        most: bytes that it may have.

    Raises:
        FileNotFoundError: there is none.
        MalformedError: it can't be read, is larger, or is a folder, a pipe or a device.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            other = irregular(os.fstat(descriptor).st_mode)
            if other is not None:
                raise MalformedError(f"{path} is {other}, but must be a regular file")
            content = _read(descriptor, most + 1)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, MalformedError):
        raise
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise MalformedError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > most:
        raise MalformedError(f"{path} has more than {most:,} bytes, which is the most that is read of it")
    return content


def _read(descriptor: int, most: int) -> bytes:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read(most)


def read_text(path: Path, most: int = MOST_JSON) -> str:
    """The text of a regular UTF-8 file, without a byte order mark.

    Raises:
        FileNotFoundError: there is none.
        MalformedError: as :func:`read_bytes`, or it is not UTF-8.
    """
    return _decoded(read_bytes(path, most), path)


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        FileNotFoundError: there is none.
        MalformedError: as :func:`read_text` and :func:`parse_json`.
    """
    return parse_json(read_text(path), path)


def read_json_object(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        FileNotFoundError: there is none.
        MalformedError: as :func:`read_json`, or it holds something else.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise MalformedError(f"{path} is broken: it is not a JSON object")
    return content


def parse_json(text: str | bytes, name: object, infinite: bool = False) -> Any:
    """The value of JSON text.

    Args:
        text: UTF-8, where it is bytes.
        name: what errors call it.
        infinite: whether numbers may be NaN or infinite, which no standard knows.

    Raises:
        MalformedError: it is no JSON, is nested deeper than 50 levels, has a key twice in an object, or
            a number that is none.
    """
    text = text if isinstance(text, str) else _decoded(text, name)
    checks: dict[str, Any] = {} if infinite else {"parse_constant": _finite, "parse_float": _finite}
    try:
        value = json.loads(text, object_pairs_hook=_unique, **checks)
        if deeper(value, MOST_DEPTH):
            raise RecursionError
    except RecursionError:
        raise MalformedError(f"{name} is broken: {_TOO_DEEP}") from None
    except ValueError as error:
        raise MalformedError(f"{name} is broken: it is not JSON ({_line(error)})") from None
    return value


def deeper(value: object, levels: int) -> bool:
    """Whether mappings and lists lie within each other in more than so many levels."""
    level = [value]
    for _ in range(levels + 1):
        level = [
            inner
            for one in level
            if isinstance(one, Mapping | list | tuple)
            for inner in (one.values() if isinstance(one, Mapping) else one)
        ]
        if not level:
            return False
    return True


def read_yaml(path: Path) -> Any:
    """What a YAML file holds.

    Raises:
        FileNotFoundError: there is none.
        MalformedError: as :func:`read_text` and :func:`parse_yaml`.
    """
    return parse_yaml(read_text(path, MOST_YAML), path)


def parse_yaml(text: str, name: object) -> Any:
    """The value of YAML text: plain values, lists and mappings, whose keys are given as text.

    Args:
        text: one document.
        name: what errors call it.

    Raises:
        MalformedError: it is no YAML, is nested deeper than 50 levels, has a key twice in a mapping, or
            has aliases, tags or merge keys, by which a few bytes may ask for gigabytes.
    """
    try:
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 a safe one
    except RecursionError:
        raise MalformedError(f"{name} is not valid YAML: {_TOO_DEEP}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise MalformedError(f"{name} is not valid YAML: {_line(error)}") from None


_TOO_DEEP = f"it is nested deeper than {MOST_DEPTH} levels"


class _PlainLoader(yaml.SafeLoader):
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise ArgumentError(f"it has an alias, *{event.anchor}, but values must be written out")
        if event.tag is not None:
            raise ArgumentError(f"it has a tag, {event.tag}, but values must be plain")
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise RecursionError
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise ArgumentError("it has a merge key, <<, but values must be written out")
        # Numbers as keys name no field, and 1: and "1": are the same one.
        pairs = [
            (str(self.construct_object(key, deep=True)), self.construct_object(value, deep=deep))
            for key, value in node.value
        ]
        return _unique(pairs)


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    unique: dict[str, Any] = {}
    for key, value in pairs:
        if key in unique:
            raise ArgumentError(f"the key {key!r} is given twice")
        unique[key] = value
    return unique


def _finite(number: str) -> float:
    value = float(number)
    if not isfinite(value):
        raise ArgumentError(f"{number} is no finite number")
    return value


def _decoded(content: bytes, name: object) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{name} is not UTF-8 text ({error.reason} at byte {error.start})") from None


def _line(error: Exception) -> str:
    """The error in one line, cut where it quotes too much of the file."""
    return " ".join(str(error).split())[:300]
