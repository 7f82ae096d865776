"""How are the axes of a plot drawn: ends, ticks, lines and names?"""

import math
from itertools import groupby, pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis as Drawn
from matplotlib.ticker import NullLocator

from mercuric.page.paper.axis import Axis
from mercuric.page.paper.chart import Plot
from mercuric.page.paper.marks import Bars, Heat, Photo
from mercuric.page.paper.style import COLUMN, plain
from mercuric.page.paper.ticks import even, logarithmic, stepped, texts

_MOST_STEPS = 12
_ROOM = 1.3
"""What a logarithmic axis leaves free beside bars."""
_SLANT = 50


def scale_axes(axes: Axes, plot: Plot) -> None:
    """Make the axes logarithmic where they are, before anything is drawn."""
    for axis, name in ((plot.x, "x"), (plot.y, "y")):
        if axis.kind == "log":
            axes.set(**{f"{name}scale": "log"})


def draw_frame(axes: Axes, plot: Plot, width: float) -> None:
    """Set ends, ticks and names, after all is drawn.

    Args:
        axes: of the plot.
        plot: what is drawn.
        width: of the picture, in inches.
    """
    if not (plot.x.visible or plot.y.visible):
        axes.set_axis_off()
    if plot.x.square or plot.y.square:
        axes.set_aspect("equal", adjustable="box")
    for axis, name, most in ((plot.x, "x", 5 if width == COLUMN else 9), (plot.y, "y", 6)):
        drawn: Drawn = getattr(axes, f"{name}axis")
        _set_ends(axes, plot, axis, name)
        low, high = sorted(getattr(axes, f"get_{name}lim")())
        _set_ticks(drawn, axis, low, high, most)
        drawn.set_tick_params(labelsize=axis.size)
        if axis.grid and not any(isinstance(mark, Heat | Photo) for mark in plot.marks):
            drawn.grid(True)
        if axis.title:
            getattr(axes, f"set_{name}label")(axis.title)
    if plot.x.kind == "groups":
        _draw_groups(axes, plot.x)


def _set_ends(axes: Axes, plot: Plot, axis: Axis, name: str) -> None:
    set_ends = getattr(axes, f"set_{name}lim")
    if axis.ends is not None:
        set_ends(*axis.ends)
        return
    low, high = getattr(axes, f"get_{name}lim")()
    lengths = [
        float(length)
        for mark in plot.marks
        if isinstance(mark, Bars) and mark.upright == (name == "y")
        for length in mark.lengths
        if length is not None and length > 0
    ]
    if axis.kind == "log" and lengths:
        low, high = min(lengths) / _ROOM, max(lengths) * _ROOM
    if axis.kind in ("names", "groups"):
        low, high = -0.5, len(axis.names) - 0.5
    if axis.from_zero:
        low, high = min(low, 0) if low < 0 else 0, high
    low, high = max(low, axis.least), min(high, axis.most)
    set_ends(*((high, low) if axis.reverse else (low, high)))


def _set_ticks(drawn: Drawn, axis: Axis, low: float, high: float, most: int) -> None:
    drawn.set_minor_locator(NullLocator())
    if not axis.visible:
        drawn.set_ticks([])
        return
    if axis.ticks is not None:
        places, said = map(list, zip(*axis.ticks, strict=True))
    elif axis.kind in ("names", "groups"):
        places = list(range(len(axis.names)))
        said = [plain(name[1] if axis.kind == "groups" else name) for name in axis.names]
    else:
        if axis.kind == "log":
            places = logarithmic(low, high, axis.step)
        elif isinstance(axis.step, int | float):
            places = stepped(low, high, axis.step, _MOST_STEPS)
        else:
            places = even(low, high, most)
        said = texts(places, axis.written, axis.suffix)
    drawn.set_ticks(places, labels=said)


def slant(axes: Axes) -> None:
    """Turn the texts of the level axis, so that they end under their ticks; upright where they are many."""
    said = [label.get_text().replace("\n", " ") for label in axes.get_xticklabels()]
    axes.set_xticks(axes.get_xticks(), labels=said)
    for angle in (_SLANT, 90):
        for label in axes.get_xticklabels():
            label.set(
                rotation=angle, rotation_mode="anchor", ha="right", va="center" if angle == 90 else "top"
            )  # fmt: skip
        if not is_crowded(axes):
            break


def _draw_groups(axes: Axes, axis: Axis) -> None:
    """Write each group's name under those of its bars, and part the groups."""
    lines = 1 + max(plain(name).count("\n") for _, name in axis.names)
    begin = 0
    places, names, ends = [], [], [-0.5]
    for group, members in groupby(axis.names, key=lambda pair: pair[0]):
        number = len(list(members))
        places.append(begin + (number - 1) / 2)
        names.append("\n" * lines + plain(group))
        begin += number
        ends.append(begin - 0.5)
    under = axes.secondary_xaxis(location=0)
    under.set_xticks(places, labels=names)
    under.tick_params("x", length=0, labelsize=axis.size, pad=5)
    parted = axes.secondary_xaxis(location=0)
    parted.set_xticks(ends, labels=[])
    parted.tick_params("x", length=2 + (lines + 1) * 1.25 * axis.size)


def is_crowded(axes: Axes) -> bool:
    """Whether texts of the level axis, or of groups under it, touch, level or slanted as they are."""
    return any(map(_touch, [axes, *axes.child_axes]))


def _touch(axes: Any) -> bool:
    labels = [label for label in axes.get_xticklabels() if label.get_text()]
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.x1)
    for label, left, right in zip(labels, boxes, boxes[1:], strict=False):
        slope = math.sin(math.radians(label.get_rotation()))
        high = float(label.get_fontsize()) * axes.figure.dpi / 72
        if (right.x1 - left.x1) * slope < high if slope else left.x1 + 2 > right.x0:
            return True
    return False


def texts_touch(axes: Axes) -> bool:
    """Whether what is written at bars' ends touches."""
    boxes = sorted((text.get_window_extent() for text in axes.texts), key=lambda box: box.x0)
    return any(left.overlaps(right) for left, right in pairwise(boxes))
