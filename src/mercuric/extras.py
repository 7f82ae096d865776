"""What is said where a package is missing that only an extra brings?"""

from collections.abc import Iterator
from contextlib import contextmanager

from mercuric.errors import MercuricError


class MissingPackage(MercuricError, ImportError):  # noqa: N818 - what is the matter, as ModuleNotFoundError
    """A package that a light install leaves out; the sentence says how to install it."""


@contextmanager
def needed_for(purpose: str, extra: str = "studies") -> Iterator[None]:
    """Holds the imports that ``purpose`` needs beyond what the library does.

    Args:
        purpose: what needs them.
        extra: the one that brings them.

    Raises:
        MissingPackage: one of the packages is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "mercuric"):
            raise
        raise MissingPackage(
            f"{purpose} needs {package}, which is not installed; "
            f'install it with: pip install "mercuric[{extra}]"'
        ) from error
