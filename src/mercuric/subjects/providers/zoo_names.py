"""How is a network of the zoo had?"""

from torch import nn

from mercuric import zoo
from mercuric.errors import ArgumentError
from mercuric.subjects.providers.provider import Arguments, Opened, Purpose

_CLASSES = 10
"""Where the data have none."""


class ZooNames:
    """Networks of :mod:`mercuric.zoo`, by their names."""

    form = "a network of the zoo"

    def has(self, name: str) -> bool:
        """See ``Provider.has``."""
        return name in zoo.all_names()

    def reads(self, name: str) -> zoo.Reads:
        """See ``Provider.reads``."""
        return zoo.reads(name)

    def weights(self, _: str) -> str | None:
        """See ``Provider.weights``."""
        return None

    def open(self, name: str, arguments: Arguments) -> Opened:
        """See ``Provider.open``; the data say all that there is to say."""
        if arguments:
            raise ArgumentError(
                f"model_args was {dict(arguments)}, but {name} of the zoo is made by its data and width alone"
            )
        return Opened(lambda purpose: _build(name, purpose))


def _build(name: str, purpose: Purpose) -> nn.Module:
    if purpose.vocabulary is not None:
        return zoo.build_transformer(purpose.vocabulary, purpose.width)
    if purpose.channels is None or purpose.image_size is None:
        raise ArgumentError(f"data held arrays that are no square images, but {name} needs images")
    return zoo.build(name, purpose.classes or _CLASSES, purpose.channels, purpose.image_size, purpose.width)
