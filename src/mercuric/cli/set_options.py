"""What does ``--set`` give to which field?"""

from collections.abc import Sequence
from typing import Any

from mercuric.reading import parse_yaml


def set_fields(options: Sequence[str], separator: str | None = None) -> dict[str, Any]:
    """Each ``FIELD=VALUE`` as a field and its value, read as YAML.

    Args:
        options: what ``--set`` was given.
        separator: what stands between a field's values where it has several, given as a tuple.

    Raises:
        ValueError: an option that is no field with a value, has an empty one (as an empty shell variable
            leaves), or names a field again.
    """
    fields: dict[str, Any] = {}
    for option in options:
        name, equals, text = option.partition("=")
        name = name.strip()
        if not equals or not name:
            wanted = "FIELD=VALUE, as design=asynchronous" if separator is None else "FIELD=VALUE,VALUE,..."
            raise ValueError(f"set was {option!r}, but must be {wanted}")
        if name in fields:
            raise ValueError(f"set was {option!r}, but {name} is set already; give each field once")
        texts = [text] if separator is None else text.split(separator)
        values = tuple(_value(option, one) for one in texts)
        fields[name] = values[0] if separator is None else values
    return fields


def _value(option: str, text: str) -> Any:
    if not text.strip():
        raise ValueError(f"set was {option!r}, but a value is empty; for none at all, write null")
    return parse_yaml(text, f"set was {option!r}, whose value {text.strip()!r}")
