"""How do command-line options become a configuration?"""

from typing import Any

from mercuric.experiments import RunConfig


def parse_seeds(text: str) -> tuple[int, ...]:
    """``"0,1,2"`` as numbers.

    Raises:
        ValueError: anything else.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(
            f"seeds was {text!r}, but must be whole numbers with commas between, as 0,1,2"
        ) from None


def merge(base: dict[str, Any], given: dict[str, Any]) -> RunConfig:
    """A run's configuration: ``base``, with the options that were given on top.

    Args:
        base: fields of a :class:`RunConfig`, as read from a file.
        given: the same fields; None stands for "not given"; ``training`` is merged key by key.

    Raises:
        ValueError: an unknown key or a wrong value.
    """
    options = {key: value for key, value in given.items() if value is not None and key != "training"}
    training = {key: value for key, value in given["training"].items() if value is not None}
    merged = {**base, **options}
    before = base.get("training") or {}
    if training and isinstance(before, dict):
        merged["training"] = {**before, **training}
    return RunConfig(**merged)
