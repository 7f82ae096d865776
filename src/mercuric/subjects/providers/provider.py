"""What is a place that networks come from, and what does it say of one?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from mercuric import zoo
from mercuric.errors import ArgumentError, described
from mercuric.zoo.width import narrow

Arguments = Mapping[str, Any]
"""What ``--model-args`` gives: names to values of YAML."""


@dataclass(frozen=True)
class Purpose:
    """What a network is built for.

    Attributes:
        classes: of the data; None where nobody says them.
        channels: of the images; None for other arrays.
        image_size: their side in pixels; None for other arrays.
        vocabulary: subwords of the sentences; None where there are none.
        width: channels of each layer, times this.
    """

    classes: int | None = None
    channels: int | None = None
    image_size: int | None = None
    vocabulary: int | None = None
    width: float = 1.0

    def known(self) -> dict[str, int]:
        """``classes``, ``channels`` and ``image_size``, as far as they are known."""
        values = {"classes": self.classes, "channels": self.channels, "image_size": self.image_size}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Opened:
    """A network that was found, before its data are known.

    Attributes:
        build: makes it, with weights from torch's current generator or its own; as often as it is called.
        image_size: side in pixels of the images that it was made for; None: nothing says it.
        batch: examples that it reads at once, where it can't read another number.
        rests_on: what a run that goes on must find unchanged, ready for JSON: versions, digests of files.
    """

    build: Callable[[Purpose], nn.Module]
    image_size: int | None = None
    batch: int | None = None
    rests_on: Callable[[], Mapping[str, str]] = dict


class Provider(Protocol):
    """A place that networks come from; nothing but :meth:`open` runs or reads what is there."""

    @property
    def form(self) -> str:
        """What names of it look like, as ``"FILE.py:FACTORY"``."""
        ...

    def has(self, name: str) -> bool:
        """Whether a name is of this form."""
        ...

    def reads(self, name: str) -> zoo.Reads:
        """What the network reads; images stand for any arrays."""
        ...

    def weights(self, name: str) -> str | None:
        """Whose weights it has before others are read into it; None: random ones."""
        ...

    def open(self, name: str, arguments: Arguments) -> Opened:
        """Find the network.

        Raises:
            ArgumentError, MercuricError: it isn't there, can't be had, or takes no such arguments.
        """
        ...


def finished(name: str, made: object, purpose: Purpose) -> nn.Module:
    """What was made as ``name``, narrowed as is asked for.

    Raises:
        ValueError: it is no ``nn.Module``, or can't be narrowed.
    """
    if not isinstance(made, nn.Module):
        raise ArgumentError(f"model was {name!r}, which gave {described(made)}, but must give an nn.Module")
    return narrow(made, purpose.width)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


def last_line(error: BaseException) -> str:
    """The kind of an error and the last line of what it says."""
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1][:300]}" if lines else type(error).__name__
