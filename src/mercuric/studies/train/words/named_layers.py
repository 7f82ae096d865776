"""How does a sentence name many layers?"""

from mercuric.page import formats

_MOST_NAMED = 4


def named_layers(layers: list[str]) -> str:
    """The first few names, and how many others there are."""
    if len(layers) <= _MOST_NAMED:
        return formats.listing(layers)
    rest = len(layers) - _MOST_NAMED + 1
    return formats.listing([*layers[: _MOST_NAMED - 1], f"{rest} other layers"])
