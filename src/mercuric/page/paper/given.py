"""What does a chart say of one of its things, and has all of it been taken?"""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, TypeVar

from mercuric.errors import ArgumentError, described

Value = TypeVar("Value")


class Given:
    """What Plotly was told, taken piece by piece: what nobody takes would be missing in the paper.

    Args:
        values: as :meth:`plotly.graph_objects.Figure.to_plotly_json` gives them; None is nothing.
        where: what they are said of.
    """

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._where, self._left = where, dict(_flat(values, ""))

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str, default: Any = None) -> Any:
        """What ``name`` is, as ``"marker.line.width"``, or the default."""
        return self._left.pop(name, default)

    def number(self, name: str, default: float) -> float:
        """A number.

        Raises:
            ArgumentError: it is something else, as one for each point.
        """
        value = self.take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.unknown(name, value)
        return value

    def one_of(self, name: str, known: Mapping[Hashable, Value], default: Hashable) -> Value:
        """What the value stands for in ``known``.

        Raises:
            ArgumentError: it is not known.
        """
        value = self.take(name, default)
        if not isinstance(value, Hashable) or value not in known:
            raise self.unknown(name, value)
        return known[value]

    def always(self, **known: Hashable) -> None:
        """What is drawn in one way alone may be said to be so; ``_`` stands for a dot."""
        for name, value in known.items():
            dotted = name.replace("__", ".")
            self.one_of(dotted, {value: None}, value)

    def leave(self, *names: str) -> None:
        """What paper has no use for, with all that is under it."""
        for name in [one for one in self._left if any(f"{one}.".startswith(f"{left}.") for left in names)]:
            del self._left[name]

    def end(self) -> None:
        """All must be taken.

        Raises:
            ArgumentError: something is not; names it.
        """
        for name, value in self._left.items():
            raise self.unknown(name, value)

    def unknown(self, name: str, value: object) -> ArgumentError:
        """The sentence for what is not known."""
        return ArgumentError(
            f"{self._where}: {name} was {described(value)}, which is not drawn for papers; "
            "mercuric.page.paper must learn it"
        )


def _flat(values: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif value is not None:
            yield f"{before}{name}", value
