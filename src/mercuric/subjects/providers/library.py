"""How is a network had that a library of networks makes by its name?"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

from mercuric.errors import ArgumentError, MercuricError
from mercuric.subjects.providers.provider import Arguments, last_line
from mercuric.zoo import Reads

_NAMED = 3


class LibraryNames:
    """``PREFIX/NAME``, with random weights.

    Args:
        prefix: what names begin with.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = f"{prefix}/"
        self.form = f"{prefix}/NAME"

    def has(self, name: str) -> bool:
        """See ``Provider.has``."""
        return name.startswith(self._prefix)

    def reads(self, _: str) -> Reads:
        """See ``Provider.reads``."""
        return "images"

    def weights(self, _: str) -> str | None:
        """See ``Provider.weights``."""
        return None

    def inner(self, name: str, known: Iterable[str]) -> str:
        """The library's own name of ``name``.

        Raises:
            ValueError: it knows no such name; tells what comes near it.
        """
        inner = name.removeprefix(self._prefix)
        names = list(known)
        if inner not in names:
            near = get_close_matches(inner, names, _NAMED) or names[:_NAMED]
            shown = ", ".join(f"{self._prefix}{one}" for one in near)
            raise ArgumentError(
                f"model was {name!r}, but {self._prefix[:-1]} has no such network; as {shown}"
            )
        return inner


def made_by(name: str, make: Callable[..., Any], arguments: Arguments, **of_data: int | None) -> Any:
    """What a library makes of arguments, and of the data where they say nothing.

    Raises:
        MercuricError: it raises; with its error's last line.
    """
    known = {key: value for key, value in of_data.items() if value is not None}
    try:
        return make(**{**known, **arguments})
    except MercuricError:
        raise
    except Exception as error:
        raise MercuricError(f"{name} can't be made: {last_line(error)}") from error
