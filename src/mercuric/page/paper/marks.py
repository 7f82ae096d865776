"""What does a chart draw? Bars, curves, heat maps and images, as Plotly was told."""

from dataclasses import dataclass
from typing import Any

from mercuric.page.paper.given import Given
from mercuric.page.paper.style import POINTS, Colour, colour, plain

_DASHES: dict[Any, tuple[float, ...]] = {
    "solid": (), "dash": (4, 2), "dot": (1, 1.6), "dashdot": (4, 1.6, 1, 1.6)
}  # fmt: skip
"""Lengths in widths of the line."""
_SYMBOLS: dict[Any, tuple[str, bool, float]] = {
    "circle": ("o", False, 1), "circle-open": ("o", True, 1), "square": ("s", False, 1),
    "diamond": ("D", False, 0.92), "diamond-open": ("D", True, 0.92), "star": ("*", False, 1.5),
    "star-open": ("*", True, 1.5), "triangle-down": ("v", False, 1.15), "line-ew": ("_", False, 1.4),
    "line-ns": ("|", False, 1.4),
}  # fmt: skip
"""matplotlib's marker, whether it is hollow, and its size over Plotly's."""
_TEXT_PLACES: dict[Any, tuple[int, int]] = {
    f"{height} {side}": (across, up)
    for height, up in (("top", 1), ("middle", 0), ("bottom", -1))
    for side, across in (("left", -1), ("center", 0), ("right", 1))
}
_YES: dict[Any, bool] = {True: True, False: False}
_POINTS_WITH_MARKERS = 20
_HOVER = ("hovertemplate", "hoverinfo", "customdata", "legendgroup", "type", "xaxis", "yaxis")


@dataclass(frozen=True)
class Entry:
    """A mark's line in the legend; ``shown`` is None where nothing is said of it."""

    name: str
    shown: bool | None


@dataclass(frozen=True)
class Bars:
    """Bars that stand at ``along`` and are ``lengths`` long, upright or level."""

    entry: Entry
    along: list[Any]
    lengths: list[Any]
    bases: list[Any] | None
    offset: float | None
    width: float | None
    upright: bool
    colours: list[Colour]
    texts: list[str]


@dataclass(frozen=True)
class Line:
    """Width in points, dashes in widths; a stair goes on level and then up."""

    colour: Colour
    width: float
    dashes: tuple[float, ...]
    stair: bool


@dataclass(frozen=True)
class Marker:
    """Sizes in points."""

    shape: str
    hollow: bool
    size: float
    colour: Colour
    edge: Colour
    edge_width: float


@dataclass(frozen=True)
class Errors:
    """How far the bars reach below and above each point; widths in points."""

    below: list[Any]
    above: list[Any]
    colour: Colour
    width: float
    cap: float


@dataclass(frozen=True)
class Curve:
    """Points with a line, markers, texts or an area."""

    entry: Entry
    x: list[Any]
    y: list[Any]
    line: Line | None
    marker: Marker | None
    errors: Errors | None
    fill: Colour | None
    texts: list[str]
    text_place: tuple[int, int]


@dataclass(frozen=True)
class Heat:
    """Cells in colours by their values; ``scale`` has places from 0 to 1 and their colours."""

    x: list[Any]
    y: list[Any]
    values: list[list[Any]]
    least: float
    most: float
    scale: list[tuple[float, Colour]]
    gap: float
    texts: list[list[str]]
    bar: bool
    bar_format: str
    bar_suffix: str


@dataclass(frozen=True)
class Photo:
    """An image, as a data URI."""

    source: str


Mark = Bars | Curve | Heat | Photo


def read_mark(given: Given, kind: str, default: str) -> Mark:
    """A trace of Plotly.

    Args:
        given: what is said of it.
        kind: its type.
        default: its colour, if none is said.

    Raises:
        ArgumentError: it is of another kind, or something is said of it that is not drawn; names it.
    """
    readers: dict[Any, Any] = {"bar": _bars, "scatter": _curve, "heatmap": _heat, "image": _photo}
    given.take("type")
    if kind not in readers:
        raise given.unknown("type", kind)
    mark: Mark = readers[kind](given, default)
    given.leave(*_HOVER)
    given.end()
    return mark


def _entry(given: Given) -> Entry:
    shown = given.one_of("showlegend", {**_YES, None: None}, None)
    return Entry(plain(given.take("name", "")), shown)


def _bars(given: Given, default: str) -> Bars:
    upright = given.one_of("orientation", {"v": True, "h": False}, "v")
    along, lengths = given.take("x"), given.take("y")
    if not upright:
        along, lengths = lengths, along
    shades, opacity = given.take("marker.color", default), given.number("opacity", 1)
    each = shades if isinstance(shades, list | tuple) else [shades] * len(lengths)
    return Bars(
        _entry(given), list(along), list(lengths), given.take("base"), given.take("offset"),
        given.take("width"), upright, [colour(one, opacity) for one in each],
        list(map(plain, given.take("text", []))),
    )  # fmt: skip


def _curve(given: Given, default: str) -> Curve:
    x, y = list(given.take("x")), list(given.take("y"))
    mode = given.take("mode", "lines+markers" if len(x) < _POINTS_WITH_MARKERS else "lines")
    parts = set(mode.split("+"))
    if not parts <= {"lines", "markers", "text", "none"}:
        raise given.unknown("mode", mode)
    opacity = given.number("opacity", 1)
    shade = given.take("line.color", None)
    marked = given.take("marker.color", shade or default)
    line, marker = _line(given, shade or marked, opacity), _marker(given, marked, opacity)
    texts = list(map(plain, given.take("text", [])))
    place = given.one_of("textposition", _TEXT_PLACES, "middle center")
    filled, fill = given.one_of("fill", {"toself": True, None: False}, None), given.take("fillcolor")
    return Curve(
        _entry(given), x, y,
        line if "lines" in parts else None,
        marker if "markers" in parts else None,
        _errors(given, marked),
        colour(fill or shade or default, opacity) if filled else None,
        texts if "text" in parts else [],
        place,
    )  # fmt: skip


def _line(given: Given, shade: str, opacity: float) -> Line:
    return Line(
        colour(shade, opacity),
        POINTS * given.number("line.width", 2),
        given.one_of("line.dash", _DASHES, "solid"),
        given.one_of("line.shape", {"linear": False, "hv": True}, "linear"),
    )


def _marker(given: Given, shade: str, opacity: float) -> Marker:
    shape, hollow, times = given.one_of("marker.symbol", _SYMBOLS, "circle")
    opacity *= given.number("marker.opacity", 1)
    stroke = shape in "_|"
    width = given.number("marker.line.width", 1 if hollow or stroke else 0)
    edge = given.take("marker.line.color", shade)
    return Marker(
        shape, hollow, POINTS * times * given.number("marker.size", 6), colour(shade, opacity),
        colour(shade if hollow else edge, opacity), POINTS * width,
    )  # fmt: skip


def _errors(given: Given, shade: str) -> Errors | None:
    given.always(error_y__type="data")
    above = given.take("error_y.array")
    below, level = given.take("error_y.arrayminus", above), given.take("error_y.symmetric", None)
    if above is None:
        return None
    if level is not None and level != (below is above):
        raise given.unknown("error_y.symmetric", level)
    return Errors(
        list(below), list(above), colour(given.take("error_y.color", shade)),
        POINTS * given.number("error_y.thickness", 2), POINTS * given.number("error_y.width", 4),
    )  # fmt: skip


def _heat(given: Given, default: str) -> Heat:
    del default
    values = [list(row) for row in given.take("z")]
    template = given.one_of("texttemplate", {"%{text}": True, None: False}, None)
    texts = [list(map(plain, row)) for row in given.take("text", [])]
    given.leave("colorbar.thickness", "colorbar.outlinewidth")
    return Heat(
        list(given.take("x", range(len(values[0])))), list(given.take("y", range(len(values)))), values,
        given.number("zmin", min(value for row in values for value in row if value is not None)),
        given.number("zmax", max(value for row in values for value in row if value is not None)),
        [(float(place), colour(css)) for place, css in given.take("colorscale")],
        POINTS * max(given.number("xgap", 0), given.number("ygap", 0)),
        texts if template else [],
        given.one_of("showscale", _YES, True),
        given.take("colorbar.tickformat", ""),
        given.take("colorbar.ticksuffix", ""),
    )  # fmt: skip


def _photo(given: Given, default: str) -> Photo:
    del default
    return Photo(given.take("source"))
