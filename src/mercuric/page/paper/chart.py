"""What is a whole chart, as Plotly was told?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from mercuric.page.paper.axis import Axis, read_axis
from mercuric.page.paper.given import Given
from mercuric.page.paper.marks import Bars, Curve, Heat, Mark, read_mark
from mercuric.page.paper.style import POINTS, Colour, colour, plain

Mode = Literal["stack", "overlay", "group"]
_MODES: dict[Any, Any] = {"stack": "stack", "overlay": "overlay", "group": "group", None: "group"}
_DASHED: dict[Any, tuple[float, ...]] = {"solid": (), "dash": (4, 2), "dot": (1, 1.6)}
_HEIGHT = 450
"""Pixels of a chart of Plotly that says none."""


@dataclass(frozen=True)
class Guide:
    """A line right across: level at ``at``, or upright there."""

    level: bool
    at: float
    colour: Colour
    width: float
    dashes: tuple[float, ...]


@dataclass(frozen=True)
class Band:
    """An area right across between two values of the upright axis."""

    low: float
    high: float
    colour: Colour


@dataclass(frozen=True)
class Plot:
    """Marks in a pair of axes."""

    x: Axis
    y: Axis
    marks: list[Mark]
    title: str


@dataclass(frozen=True)
class Chart:
    """All that is drawn of a chart; the height of its plots is that of one on the page, in inches."""

    title: str
    height: float
    plots: list[Plot]
    guides: list[Guide | Band]
    mode: Mode
    gap: float
    legend: bool


def read_chart(picture: go.Figure) -> Chart:
    """What a chart of Plotly draws.

    Raises:
        ArgumentError: something is said in it that is not drawn for papers; names it.
    """
    told = picture.to_plotly_json()
    shapes, notes = (told["layout"].pop(name, ()) for name in ("shapes", "annotations"))
    axes = {name: told["layout"].pop(name) for name in sorted(told["layout"]) if _AXIS.fullmatch(name)}
    layout = Given(told["layout"], "a chart's layout")
    colours = layout.take("colorway", _PLOTLYS)
    marks: dict[tuple[str, str], list[Mark]] = {}
    for place, trace in enumerate(told["data"]):
        kind = trace.get("type", "scatter")
        pair = (trace.get("xaxis", "x"), trace.get("yaxis", "y"))
        read = read_mark(Given(trace, f"a {kind} of a chart"), kind, colours[place % len(colours)])
        marks.setdefault(pair, []).append(read)
    plots = [_plot(pair, own, axes) for pair, own in sorted(marks.items())]
    _name(plots, notes)
    shown = [mark for own in marks.values() for mark in own]
    return _chart(layout, plots, [_guide(Given(one, "a shape of a chart")) for one in shapes], shown)


_AXIS = re.compile(r"[xy]axis\d*")
_PLOTLYS = ("#636efa", "#EF553B", "#00cc96")


def _plot(pair: tuple[str, str], marks: list[Mark], axes: dict[str, Any]) -> Plot:
    along: list[list[Sequence[Any]]] = [[], []]
    for mark in marks:
        if isinstance(mark, Bars):
            along[0 if mark.upright else 1].append(mark.along)
        elif isinstance(mark, Curve | Heat):
            along[0].append(mark.x)
            along[1].append(mark.y)
    names = [f"{name[0]}axis{name[1:]}" for name in pair]
    x, y = (
        read_axis(Given(axes.get(name, {}), f"the {name} of a chart"), data)
        for name, data in zip(names, along, strict=True)
    )
    return Plot(x, y, marks, "")


def _name(plots: list[Plot], notes: Sequence[dict[str, Any]]) -> None:
    """Give each plot its title, of the notes that stand over the plots."""
    for note in notes:
        given = Given(note, "an annotation of a chart")
        given.always(showarrow=False, xref="paper", yref="paper", xanchor="center", yanchor="bottom")
        given.leave("font.size")
        across, up, text = given.number("x", 0), given.number("y", 0), given.take("text")
        given.end()
        under = [
            place
            for place, plot in enumerate(plots)
            if abs(sum(plot.x.domain) / 2 - across) < 1e-6 and abs(plot.y.domain[1] - up) < 1e-6
        ]
        if len(under) != 1:
            raise given.unknown("text", text)
        plots[under[0]] = Plot(plots[under[0]].x, plots[under[0]].y, plots[under[0]].marks, plain(text))


def _guide(given: Given) -> Guide | Band:
    kind = given.take("type")
    ends = {name: given.take(name) for name in ("x0", "x1", "y0", "y1")}
    across = given.take("xref"), given.take("yref")
    opacity = given.number("opacity", 1)
    shade, width = given.take("line.color", "black"), POINTS * given.number("line.width", 2)
    dashes, filled = given.one_of("line.dash", _DASHED, "solid"), given.take("fillcolor")
    given.one_of("layer", {"below": None, "above": None}, "above")
    given.end()
    level, upright = across == ("x domain", "y"), across == ("x", "y domain")
    if kind == "rect" and level and filled is not None and not width:
        return Band(ends["y0"], ends["y1"], colour(filled, opacity))
    if kind == "line" and (level or upright):
        return Guide(level, ends["y0" if level else "x0"], colour(shade, opacity), width, dashes)
    raise given.unknown("type", kind)


def _chart(layout: Given, plots: list[Plot], guides: list[Guide | Band], marks: list[Mark]) -> Chart:
    height, title = layout.number("height", _HEIGHT), plain(layout.take("title.text", ""))
    mode, gap = layout.one_of("barmode", _MODES, None), layout.number("bargap", 0.2)
    legend = layout.one_of("showlegend", {True: True, False: False, None: None}, None)
    layout.leave("template", "margin", "paper_bgcolor", "plot_bgcolor", "font", "legend", "hovermode")
    layout.leave("hoverlabel", "dragmode", "title", "width")
    layout.end()
    if legend is None:
        # As Plotly has it: one line in a legend says nothing, unless it was asked for.
        said = [mark.entry.shown for mark in marks if isinstance(mark, Bars | Curve)]
        legend = sum(2 if one else one is None for one in said) > 1
    return Chart(title, height * POINTS / 72, plots, guides, mode, gap, legend)
