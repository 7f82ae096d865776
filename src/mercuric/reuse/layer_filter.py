"""Which layers does ``filter_fn`` let through?"""

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

from torch import nn

from mercuric.errors import ArgumentError, described

FilterFunction = Callable[[nn.Module, str], bool]
LayerFilter = FilterFunction | str | type[nn.Module] | Sequence[FilterFunction | str | type[nn.Module]]
"""A function of a layer and its name, a glob of names, a class of layers, or a sequence of these."""


def layer_filter(given: LayerFilter | None, names: Iterable[str]) -> FilterFunction:
    """One function for what a user gave: True where any of it lets the layer through.

    Args:
        given: functions, globs (``"layer4.*"``) and classes; None lets everything through.
        names: of the model's layers, of which each glob must match one.

    Raises:
        ValueError: something else was given, or a glob matches no layer; the function raises it where
            a function that was given fails.
    """
    if given is None:
        return lambda _layer, _name: True
    several = [given] if isinstance(given, str) or not isinstance(given, Sequence) else given
    rules = [_rule(one, list(names)) for one in several]
    if not rules:
        raise ArgumentError("filter_fn was empty, but must hold at least one function, glob or class")
    return lambda layer, name: any(rule(layer, name) for rule in rules)


def _rule(given: FilterFunction | str | type[nn.Module], names: list[str]) -> FilterFunction:
    if isinstance(given, str):
        if not any(_matches(name, given) for name in names):
            some = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
            raise ArgumentError(
                f"filter_fn was {given!r}, but must match the name of a layer: {some or 'none'}"
            )
        return lambda _, name: _matches(name, given)
    if isinstance(given, type):
        if not issubclass(given, nn.Module):
            raise ArgumentError(f"filter_fn was {described(given)}, but must be a class of nn.Module")
        return lambda layer, _: isinstance(layer, given)
    if not callable(given) or isinstance(given, nn.Module):
        raise ArgumentError(
            f"filter_fn was {described(given)}, but must be a function of a layer and its name, a glob "
            "of names, a class of layers, or a sequence of these"
        )
    return _careful(given)


def _careful(function: FilterFunction) -> FilterFunction:
    def asked(layer: nn.Module, name: str) -> bool:
        try:
            return bool(function(layer, name))
        except Exception as error:
            raise ArgumentError(
                f"filter_fn raised {type(error).__name__} for layer {name!r} ({error}), but must take "
                "a layer and its name and say True or False"
            ) from error

    return asked


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(_unwrapped(name), pattern)


def _unwrapped(name: str) -> str:
    """The name within what torch.compile and DistributedDataParallel have wrapped."""
    return ".".join(part for part in name.split(".") if part != "_orig_mod").removeprefix("module.")
