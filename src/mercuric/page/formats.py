"""How is a figure written?"""

import math
from collections.abc import Mapping
from typing import Any

MISSING = "\N{EN DASH}"
_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def is_known(value: float | None) -> bool:
    """Whether there is a finite number to write."""
    return value is not None and math.isfinite(value)


def count(value: float | None) -> str:
    """A count in three digits and a prefix: ``12.3 G``."""
    if value is None or not math.isfinite(value):
        return MISSING
    rounded = float(f"{value:.3g}")
    for size, prefix in _PREFIXES:
        if abs(rounded) >= size:
            return f"{_three_digits(rounded / size)} {prefix}"
    return f"{rounded:.0f}" if rounded == round(rounded) else f"{rounded:g}"


def _three_digits(value: float) -> str:
    decimals = 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{decimals}f}"


def size(described: Mapping[str, Any], each: str = "{0} px") -> str:
    """Of what size examples are: ``32 px``, or the shapes of arrays.

    Args:
        described: ``image_size``, or ``shapes``.
        each: how a side in pixels is written.
    """
    if "shapes" in described:
        return f"arrays of {' and '.join(described['shapes'])}"
    return each.format(described["image_size"])


def cycles(value: float | None) -> str:
    """Cycles with their unit: ``12.3 G cycles``."""
    return f"{count(value)} cycles" if is_known(value) else MISSING


def ratio(value: float | None) -> str:
    """A speed-up: ``1.97x``."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:.2f}x" if value < 99.5 else f"{value:.0f}x"


def percent(fraction: float | None, decimals: int = 1) -> str:
    """A fraction as a percentage: ``71.2 %``."""
    if fraction is None or not math.isfinite(fraction):
        return MISSING
    return f"{100 * fraction:z.{decimals}f} %"


def duration(seconds: float | None) -> str:
    """Seconds as a person says them: ``8.3 s``, ``6 min 52 s``, ``1 h 04 min``, ``2 d 3 h``."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24} h"


def listing(items: list[str]) -> str:
    """Items as a sentence lists them: ``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def between(low: str, high: str) -> str:
    """Two ends as written: ``0.97x to 2.73x``, or the one that both are."""
    return low if low == high else f"{low} to {high}"


def number_of(amount: int, noun: str) -> str:
    """An amount and its noun, in the plural where it needs one: ``1 seed``, ``60,000 images``."""
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"
