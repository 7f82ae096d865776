"""How are points, lines and areas drawn?"""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mercuric.page.paper.chart import Band, Guide, Plot
from mercuric.page.paper.marks import Bars, Curve, Line, Marker
from mercuric.page.paper.style import letters

_LARGEST = 5.5
"""Points of a marker in the legend."""
_HORIZONTAL = {-1: "right", 0: "center", 1: "left"}
_VERTICAL = {-1: "top", 0: "center", 1: "bottom"}


def draw_curve(axes: Axes, plot: Plot, curve: Curve, over: float) -> None:
    """Draw one curve.

    Args:
        axes: gets it.
        plot: whose axes say where its values stand.
        curve: is drawn.
        over: its place among the others: higher ones lie on lower ones.
    """
    x, y = plot.x.places(curve.x), plot.y.places(curve.y)
    if curve.fill is not None:
        axes.fill(x, y, color=curve.fill, linewidth=0, zorder=1)
    if curve.line is not None or curve.marker is not None:
        axes.plot(x, y, zorder=over, **_looks(curve.line, curve.marker))
    if curve.errors is not None:
        below, above = (
            [float(one or 0) for one in reach] for reach in (curve.errors.below, curve.errors.above)
        )
        axes.errorbar(
            x, y, [below, above], fmt="none", ecolor=curve.errors.colour, elinewidth=curve.errors.width,
            capsize=curve.errors.cap, capthick=curve.errors.width, zorder=over - 0.1,
        )  # fmt: skip
    for at, text in enumerate(curve.texts):
        across, up = curve.text_place
        apart = 2.5 if curve.marker is None else curve.marker.size / 2 + 0.8
        axes.annotate(
            text, (x[at], y[at]), (across * apart * 0.7, up * apart), textcoords="offset points",
            ha=_HORIZONTAL[across], va=_VERTICAL[up], fontsize=letters(11), zorder=over,
            annotation_clip=False,
        )  # fmt: skip


def _looks(line: Line | None, marker: Marker | None, largest: float = float("inf")) -> dict[str, Any]:
    looks: dict[str, Any] = {"linestyle": "none"}
    if line is not None:
        looks = {"color": line.colour, "linewidth": line.width, "linestyle": "-"}
        looks |= {"linestyle": (0, line.dashes)} if line.dashes else {}
        looks |= {"drawstyle": "steps-post"} if line.stair else {}
    if marker is not None:
        looks |= {
            "marker": marker.shape, "markersize": min(marker.size, largest),
            "markerfacecolor": "none" if marker.hollow else marker.colour,
            "markeredgecolor": marker.edge, "markeredgewidth": marker.edge_width,
        }  # fmt: skip
    return looks


def draw_guide(axes: Axes, guide: Guide | Band) -> None:
    """Draw a line, or an area, right across."""
    if isinstance(guide, Band):
        axes.axhspan(guide.low, guide.high, color=guide.colour, linewidth=0, zorder=0.5)
        return
    draw = axes.axhline if guide.level else axes.axvline
    style: Any = (0, guide.dashes) if guide.dashes else "-"
    draw(guide.at, color=guide.colour, linewidth=guide.width, linestyle=style, zorder=1.5)


def legend_sign(mark: Bars | Curve) -> Line2D | Patch:
    """What stands for a mark in the legend."""
    if isinstance(mark, Bars):
        return Patch(facecolor=mark.colours[0], linewidth=0)
    if mark.line is None and mark.marker is None:
        return Patch(facecolor=mark.fill, linewidth=0)
    return Line2D([], [], **_looks(mark.line, mark.marker, _LARGEST))
