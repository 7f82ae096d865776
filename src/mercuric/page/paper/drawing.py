"""How does a whole picture look: its plots, and over them what it was measured on and what is what?"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import matplotlib as mpl
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.legend import Legend

from mercuric.page.paper.bars import draw_bars
from mercuric.page.paper.chart import Chart, Plot, read_chart
from mercuric.page.paper.curves import draw_curve, draw_guide, legend_sign
from mercuric.page.paper.frame import draw_frame, is_crowded, scale_axes, slant, texts_touch
from mercuric.page.paper.heat import draw_heat, draw_photo
from mercuric.page.paper.marks import Bars, Curve, Heat, Photo
from mercuric.page.paper.shown import ShownFigure
from mercuric.page.paper.style import COLUMN, PAGE, RC, SOFT

_EDGE = 0.03
"""Inches around all."""
_APART = 0.05
"""Inches between what stands over the plots, and them."""
_LEAST_SHARE, _LEAST_HEIGHT = 0.52, 0.54
"""Of the width, and of the chart's height, that a plot has at least."""
_MOST_PLACES = 34
"""Places of bars or points under names that fit in a column."""
_MOST_ROWS = 4
"""Rows of a legend in a column."""
_TRIES = 3
_TITLE, _LETTER = 5.8, 0.56
"""Points of the letters that say what was measured, and how wide one is of its height."""


def draw_chart(picture: go.Figure) -> Figure:
    """A chart as a column of a paper shows it or, where it would be cramped there, both columns.

    Raises:
        ArgumentError: the chart has something that is not drawn for papers; names it.
    """
    chart = read_chart(picture)
    with mpl.rc_context(RC):
        if not _is_wide(chart):
            drawn = _fitted(chart, COLUMN)
            if not drawn.cramped:
                return drawn.figure
        return _fitted(chart, PAGE).figure


@dataclass(frozen=True)
class _Drawn:
    """A picture, how many inches it should be higher, and whether it is cramped in its width."""

    figure: Figure
    lack: float
    cramped: bool


def _fitted(chart: Chart, width: float) -> _Drawn:
    """A picture as high as the chart is, or higher, where what stands around its plot leaves too little."""
    height = chart.height
    for _ in range(_TRIES):
        drawn = _draw(chart, width, height)
        if not drawn.lack:
            break
        height += drawn.lack
    return drawn


def _is_wide(chart: Chart) -> bool:
    columns = {plot.x.domain for plot in chart.plots}
    return len(columns) > 2 or any(_places(plot) > _MOST_PLACES for plot in chart.plots)


def _places(plot: Plot) -> int:
    """Places under names: of numbers there may be any many."""
    if plot.x.kind in ("names", "groups"):
        return len(plot.x.names)
    return 0 if plot.x.ticks is None or plot.x.ends is None else round(abs(plot.x.ends[1] - plot.x.ends[0]))


def _draw(chart: Chart, width: float, height: float) -> _Drawn:
    square = any(plot.x.square or plot.y.square for plot in chart.plots)
    layout = ConstrainedLayoutEngine(w_pad=0, h_pad=0, wspace=0.06, hspace=0.06, compress=square)
    figure = ShownFigure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    every = _draw_plots(figure, chart, width)
    top, rows = _draw_head(figure, chart)
    layout.set(rect=(_EDGE / width, _EDGE / height, 1 - 2 * _EDGE / width, 1 - (_EDGE + top) / height))
    figure.draw_without_rendering()
    for axes, plot in zip(every, chart.plots, strict=True):
        if plot.x.kind != "groups" and (plot.x.angle or is_crowded(axes)):
            slant(axes)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    if square:
        boxes = [axes.get_tightbbox() for axes in every]
        used = max(box.y1 for box in boxes if box) - min(box.y0 for box in boxes if box)
        lack = used / figure.dpi + _EDGE + top - height
        return _Drawn(figure, lack if abs(lack) > _APART else 0, False)
    axes = every[0]
    place = axes.get_position()
    written = any(isinstance(mark, Bars) and mark.texts for mark in chart.plots[0].marks)
    crowded = is_crowded(axes) or (written and texts_touch(axes))
    cramped = rows > _MOST_ROWS or place.width < _LEAST_SHARE or crowded
    lack = _LEAST_HEIGHT * chart.height - place.height * height
    return _Drawn(figure, lack if lack > _APART else 0, cramped)


def _draw_plots(figure: Figure, chart: Chart, width: float) -> list[Axes]:
    across = sorted({plot.x.domain for plot in chart.plots})
    down = sorted({plot.y.domain for plot in chart.plots}, reverse=True)
    grid = figure.add_gridspec(len(down), len(across))
    found = []
    for plot in chart.plots:
        axes = figure.add_subplot(grid[down.index(plot.y.domain), across.index(plot.x.domain)])
        _draw_plot(figure, axes, plot, chart, width)
        found.append(axes)
    return found


def _draw_plot(figure: Figure, axes: Axes, plot: Plot, chart: Chart, width: float) -> None:
    scale_axes(axes, plot)
    draw_bars(axes, plot, chart)
    for over, mark in enumerate(plot.marks):
        if isinstance(mark, Curve):
            draw_curve(axes, plot, mark, 2 + over / len(plot.marks))
        elif isinstance(mark, Heat):
            draw_heat(figure, axes, plot, mark)
        elif isinstance(mark, Photo):
            draw_photo(axes, mark)
    for guide in chart.guides:
        draw_guide(axes, guide)
    if plot.title:
        axes.set_title(plot.title)
    draw_frame(axes, plot, width)


def _draw_head(figure: Figure, chart: Chart) -> tuple[float, int]:
    """Write title and legend at the top; how high they are, in inches, and how many rows the legend has."""
    width, height = figure.get_size_inches()
    room, top = width - 2 * _EDGE, _EDGE
    if chart.title:
        lines = wrap(chart.title, int(room * 72 / (_TITLE * _LETTER)))
        at = (_EDGE / width, 1 - top / height)
        text = figure.text(*at, "\n".join(lines), size=_TITLE, color=SOFT, va="top", in_layout=False)
        top += text.get_window_extent().height / figure.dpi + _APART
    marks = [
        mark
        for plot in chart.plots
        for mark in plot.marks
        if isinstance(mark, Bars | Curve) and mark.entry.shown is not False
    ]
    if not (chart.legend and marks):
        return top, 0
    for columns in range(len(marks), 0, -1):
        legend = _legend(figure, marks, columns, (_EDGE / width, 1 - top / height))
        box = legend.get_window_extent()
        if box.width / figure.dpi <= room or columns == 1:
            break
        legend.remove()
    return top + box.height / figure.dpi + _APART, -(-len(marks) // columns)


def _legend(figure: Figure, marks: Sequence[Bars | Curve], columns: int, at: tuple[float, float]) -> Legend:
    """A legend that one reads row by row; matplotlib fills columns."""
    order = [place for column in range(columns) for place in range(column, len(marks), columns)]
    legend = figure.legend(
        [legend_sign(marks[place]) for place in order], [marks[place].entry.name for place in order],
        ncols=columns, loc="upper left", bbox_to_anchor=at,
    )  # fmt: skip
    legend.set_in_layout(False)
    return legend
