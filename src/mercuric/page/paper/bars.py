"""Where does each bar stand, and how is it drawn?"""

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes

from mercuric.page.paper.chart import Chart, Plot
from mercuric.page.paper.marks import Bars
from mercuric.page.paper.style import POINTS


@dataclass(frozen=True)
class Bar:
    """From where to where along the axis that bars stand on, and between which values."""

    start: float
    width: float
    base: float
    length: float


def bars_of(plot: Plot, chart: Chart) -> list[tuple[Bars, list[Bar]]]:
    """All bars of a plot: stacked, side by side, or where they say that they stand."""
    marks = [mark for mark in plot.marks if isinstance(mark, Bars)]
    along = [(plot.x if mark.upright else plot.y).places(mark.along) for mark in marks]
    known = sorted({place for places in along for place in places})
    slot = (1 - chart.gap) * min((after - before for before, after in pairwise(known)), default=1)
    tops: dict[tuple[float, bool], float] = defaultdict(float)
    found = []
    for number, (mark, places) in enumerate(zip(marks, along, strict=True)):
        shared = len(marks) if chart.mode == "group" and mark.offset is None else 1
        width = slot / shared if mark.width is None else mark.width
        begin = -slot / 2 + width * number if shared > 1 else -width / 2
        begin = begin if mark.offset is None else mark.offset
        own = []
        for at, place in enumerate(places):
            length = math.nan if mark.lengths[at] is None else float(mark.lengths[at])
            base = 0.0 if mark.bases is None else float(mark.bases[at])
            if chart.mode == "stack" and not math.isnan(length):
                key = (place, length < 0)
                base += tops[key]
                tops[key] += length
            own.append(Bar(place + begin, width, base, length))
        found.append((mark, own))
    return found


def draw_bars(axes: Axes, plot: Plot, chart: Chart) -> None:
    """Draw all bars of a plot, and what is written at their ends."""
    for mark, bars in bars_of(plot, chart):
        draw = axes.bar if mark.upright else axes.barh
        starts, widths = [bar.start for bar in bars], [bar.width for bar in bars]
        draw(
            starts, [bar.length for bar in bars], widths, [bar.base for bar in bars],
            align="edge", color=mark.colours, linewidth=0,
        )  # fmt: skip
        for bar, text in zip(bars, mark.texts, strict=False):
            middle, end = bar.start + bar.width / 2, bar.base + bar.length
            axes.annotate(
                text, (middle, end) if mark.upright else (end, middle),
                (0, 8 * POINTS / 2) if mark.upright else (8 * POINTS / 2, 0), textcoords="offset points",
                ha="center" if mark.upright else "left", va="bottom" if mark.upright else "center",
                fontsize=5.6, annotation_clip=False,
            )  # fmt: skip
