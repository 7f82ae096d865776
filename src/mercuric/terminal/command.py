"""What is known of a command before it is imported?"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from mercuric.extras import needed_for


@dataclass(frozen=True)
class Command:
    """A command of ``mercuric``.

    Attributes:
        name: the words of its command line after ``mercuric``; one that begins with ``--`` may stand anywhere
            among the options.
        help: what it does, in a sentence.
        function: ``"module:name"`` of what Typer makes its options of; a module that begins with a dot is of
            ``mercuric``.
        stopped: what Ctrl-C leaves behind.
    """

    name: str
    help: str
    function: str
    stopped: str = "stopped"

    @property
    def words(self) -> list[str]:
        """The name's words."""
        return self.name.split()

    def load(self) -> Callable[..., object]:
        """Import the function."""
        with needed_for(f"mercuric {self.name}"):
            return cast("Callable[..., object]", imported(self.function))


def imported(place: str) -> Any:
    """What ``"module:name"`` stands for; a module that begins with a dot is of ``mercuric``."""
    module, _, name = place.partition(":")
    return getattr(import_module(module, "mercuric"), name)
