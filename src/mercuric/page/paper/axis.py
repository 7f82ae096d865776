"""What is an axis of a chart, as Plotly was told?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mercuric.page.paper.given import Given
from mercuric.page.paper.style import letters, plain
from mercuric.page.paper.ticks import FORMATS, Written, texts

Kind = Literal["linear", "log", "names", "groups"]
_KINDS: dict[Any, Any] = {"linear": "linear", "log": "log", "category": "names", None: None}
_YES: dict[Any, bool] = {True: True, False: False}
_FONT = 13
"""Pixels of a chart's letters."""


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        title: what it shows.
        kind: numbers, logarithms, names, or names under groups.
        names: those of places 0, 1, ...; of groups, (group, name).
        ends: what is said of its two ends, in the order in which they stand.
        reverse: whether it runs the other way, where no ends are said.
        from_zero: whether it begins at zero.
        least: below which it never goes.
        most: above which it never goes.
        grid: whether its ticks have lines.
        visible: whether there is anything of it.
        ticks: places and texts that are said.
        step: between ticks: a number, or 1 or ``"D2"`` on a logarithmic axis.
        written: how a number is written, with what behind it.
        suffix: what follows it.
        angle: of the ticks' texts, in degrees, counter-clockwise.
        size: of the ticks' letters, in points.
        domain: from where to where in the picture, of 0 to 1.
        square: whether its units are as long as the other axis's.
    """

    title: str
    kind: Kind
    names: list[Any]
    ends: tuple[float, float] | None
    reverse: bool
    from_zero: bool
    least: float
    most: float
    grid: bool
    visible: bool
    ticks: list[tuple[float, str]] | None
    step: float | str | None
    written: Written
    suffix: str
    angle: float
    size: float
    domain: tuple[float, float]
    square: bool

    def places(self, values: Sequence[Any]) -> list[float]:
        """Where values stand on it; nothing, and what a logarithm has no place for, is NaN."""
        if self.kind == "groups":
            return [self.names.index(pair) for pair in zip(*values, strict=True)]
        if self.kind == "names":
            return [math.nan if value is None else self.names.index(str(value)) for value in values]
        found = [math.nan if value is None else float(value) for value in values]
        return [math.nan if self.kind == "log" and place <= 0 else place for place in found]


def read_axis(given: Given, data: Sequence[Sequence[Any]]) -> Axis:
    """An axis of Plotly.

    Args:
        given: what is said of it.
        data: the values on it, mark by mark.

    Raises:
        ArgumentError: something is said of it that is not drawn; names it.
    """
    kind, names = _kind(given.one_of("type", _KINDS, None), data)
    given.leave("automargin", "ticks", "ticklen", "tickcolor", "anchor", "constrain", "tickmode")
    given.leave("title.standoff", "title.font.size", "matches")
    given.always(zeroline=False)
    ends, square = given.take("range"), given.take("scaleanchor") is not None
    if ends is not None:
        low, high = (10.0**end for end in ends) if kind == "log" else map(float, ends)
    written, suffix = given.one_of("tickformat", FORMATS, ""), given.take("ticksuffix", "")
    axis = Axis(
        plain(given.take("title.text", "")), kind, names, None if ends is None else (low, high),
        given.one_of("autorange", {"reversed": True, True: False}, True),
        given.one_of("rangemode", {"tozero": True, "normal": False}, "normal"),
        given.number("minallowed", -math.inf), given.number("maxallowed", math.inf),
        given.one_of("showgrid", _YES, True), given.one_of("visible", _YES, True),
        _ticks(given, written, suffix), given.take("dtick"), written, suffix,
        -given.number("tickangle", 0), letters(given.number("tickfont.size", _FONT)),
        tuple(given.take("domain", (0, 1))), square,
    )  # fmt: skip
    given.end()
    return axis


def _ticks(given: Given, written: Written, suffix: str) -> list[tuple[float, str]] | None:
    values, said = given.take("tickvals"), given.take("ticktext")
    if values is None:
        return None
    written_texts = texts(values, written, suffix) if said is None else list(map(plain, said))
    return list(zip(map(float, values), written_texts, strict=True))


def _kind(said: Kind | None, data: Sequence[Sequence[Any]]) -> tuple[Kind, list[Any]]:
    if any(len(values) == 2 and isinstance(values[0], list | tuple) for values in data):
        pairs = dict.fromkeys(pair for values in data for pair in zip(*values, strict=True))
        groups = list(dict.fromkeys(group for group, _ in pairs))
        return "groups", sorted(pairs, key=lambda pair: groups.index(pair[0]))
    values = [value for each in data for value in each if value is not None]
    if said == "names" or (said is None and not all(map(_is_number, values))):
        return "names", list(dict.fromkeys(map(str, values)))
    return said or "linear", []


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True
