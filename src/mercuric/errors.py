"""What goes wrong that is no fault of this program, said in one sentence?"""

from textwrap import shorten


def described(value: object) -> str:
    """What a wrong argument was, in a few words: its class, or itself where that is short."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if value is None or isinstance(value, str | bytes | bool | int | float | complex):
        return shorten(repr(value), 80, placeholder="...")
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeio' else 'a'} {name}"


class MercuricError(Exception):
    """One clear sentence for the user.

    Attributes:
        exit_code: what the command line exits with: 2 where the user can mend it by another
            command or argument, 1 where the run itself failed (a full disk, a diverged loss).
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class ArgumentError(MercuricError, ValueError):
    """An argument that is not what it must be; its sentence names it, what it was and what it must be."""


class MalformedError(MercuricError, ValueError):
    """A file, or text from one, that is not what it must be; its sentence names it."""


class Diverged(MercuricError, ValueError):  # noqa: N818 - what happened, as KeyboardInterrupt
    """A training whose loss is no longer finite."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=1)
