"""What is written at an axis, and where?"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.ticker import MaxNLocator

_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""), (1e-3, "m"), (1e-6, "µ"),
             (1e-9, "n"))  # fmt: skip
_LONG = 1e4
"""Numbers from here on are written with a prefix where no format is said."""
_FINEST = 3
"""Decimals that are tried to tell ticks apart."""

Written = Callable[[float, int], str]
"""A number with so many more decimals than its format has."""


def _percent(decimals: int) -> Written:
    return lambda value, more: f"{100 * value:.{decimals + more}f}%"


def _fixed(decimals: int) -> Written:
    return lambda value, more: f"{value:.{decimals + more}f}"


def _prefixed(value: float, more: int = 0) -> str:
    size, prefix = next((one for one in _PREFIXES if abs(value) >= one[0] * (1 - 1e-9)), (1, ""))
    return f"{value / size:.{4 + more}g}{prefix}"


def _general(value: float, more: int) -> str:
    return _prefixed(value, more) if abs(value) >= _LONG else f"{value:.{6 + more}g}"


FORMATS: dict[Any, Written] = {
    "": _general, "~g": lambda value, more: f"{value:.{6 + more}g}", "~s": _prefixed,
    ".0%": _percent(0), ".1%": _percent(1), ".2%": _percent(2), ".0f": _fixed(0), ".1f": _fixed(1),
}  # fmt: skip
"""Those of d3 that charts use."""


def texts(values: Sequence[float], written: Written, suffix: str = "") -> list[str]:
    """The numbers as a format writes them, with as many more decimals as tell them apart."""
    for more in range(_FINEST + 1):
        said = [written(value, more).replace("-", "\N{MINUS SIGN}") + suffix for value in values]
        if len(set(said)) == len(said):
            break
    return said


def even(low: float, high: float, most: int) -> list[float]:
    """At most so many round numbers from low to high."""
    found = MaxNLocator(nbins=most, steps=[1, 2, 5, 10], min_n_ticks=2).tick_values(low, high)
    return [float(f"{value:.12g}") for value in found if _inside(value, low, high)]


def stepped(low: float, high: float, step: float, most: int) -> list[float]:
    """All multiples of a step, or fewer round ones where they are too many."""
    if (high - low) / step > most:
        return even(low, high, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def logarithmic(low: float, high: float, step: object) -> list[float]:
    """Powers of ten; 2 and 5 between them where ``step`` is ``"D2"`` or less than three would be left."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    tens = [value for power in powers if _inside(value := 10.0**power, low, high)]
    finer = [
        float(f"{value:.12g}")
        for power in powers
        for lead in (1, 2, 5)
        if _inside(value := lead * 10.0**power, low, high)
    ]
    return finer if step == "D2" or len(tens) < 3 else tens


def _inside(value: float, low: float, high: float) -> bool:
    reach = 1e-9 * max(abs(low), abs(high))
    return low - reach <= value <= high + reach
