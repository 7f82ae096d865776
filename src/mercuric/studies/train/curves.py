"""How did dense training and the methods go? Loss and score over time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from mercuric.page.chart import KIND_COLOURS, KIND_NAMES, figure
from mercuric.page.score import Metric

_MOST_POINTS = 400
_SMOOTHING_SHARE = 0.02
_FULL_EPOCH_TICKS = 20
_TIME_UNITS = ((7200, "hours", 3600), (600, "minutes", 60), (0, "seconds", 1))


@dataclass(frozen=True)
class Line:
    """How a kind of training is drawn: its name in the legend, its colour and its width in pixels."""

    name: str
    colour: str
    width: int = 3


LINES = {kind: Line(KIND_NAMES[kind], KIND_COLOURS[kind]) for kind in KIND_NAMES}
"""Of dense training and MERCURY."""


def loss_chart(steps: pd.DataFrame, against: str, lines: Mapping[str, Line] = LINES) -> go.Figure:
    """Smoothed training loss, thin a seed and thick their mean.

    Args:
        steps: as in :class:`Metrics`.
        against: the x axis: ``"step"`` or ``"seconds"``.
        lines: run to its line, those below first; others are not drawn.
    """
    drawn = steps[steps["run"].isin(lines)]
    longest = float(drawn["seconds"].max())
    unit, size = next((unit, size) for limit, unit, size in _TIME_UNITS if longest >= limit)
    chart = figure(340, "training step" if against == "step" else f"{unit} of training", "training loss")
    scaled = drawn.assign(seconds=drawn["seconds"] / size)
    for kind, line, rows in _of_kinds(scaled, lines):
        every = max(1, int(rows.groupby("seed").size().max()) // _MOST_POINTS)
        seeds = [_smoothed(seed, every) for _, seed in rows.groupby("seed")]
        mean = pd.concat(seeds).groupby("step", as_index=False)[["loss", "seconds"]].mean()
        mean = mean[mean["step"] <= min(seed["step"].max() for seed in seeds)]
        if len(seeds) > 1:
            for seed in seeds:
                _add_line(chart, kind, line, seed, against, "loss", thick=False)
        _add_line(chart, kind, line, mean, against, "loss", thick=True)
    chart.update_yaxes(rangemode="tozero")
    chart.update_traces(hovertemplate="%{y:.3f}", selector={"showlegend": True})
    return chart


def score_chart(epochs: pd.DataFrame, metric: Metric, lines: Mapping[str, Line] = LINES) -> go.Figure:
    """Test score after each epoch, thin a seed and thick their mean; see :func:`loss_chart`."""
    chart = figure(340, "after epoch", f"test {metric.name}")
    shifted = epochs.assign(epoch=epochs["epoch"] + 1)
    for kind, line, rows in _of_kinds(shifted, lines):
        if rows["seed"].nunique() > 1:
            for _, seed in rows.groupby("seed"):
                _add_line(chart, kind, line, seed, "epoch", "test_score", thick=False)
        mean = rows.groupby("epoch", as_index=False)[["test_score"]].mean()
        _add_line(chart, kind, line, mean, "epoch", "test_score", thick=True)
    chart.update_traces(mode="lines+markers", marker={"size": 7}, selector={"showlegend": True})
    chart.update_traces(
        hovertemplate="%{y:.2%}" if metric.unit else "%{y:.2f}", selector={"showlegend": True}
    )
    wide = metric.points * _width(epochs["test_score"]) > 5
    chart.update_yaxes(tickformat=metric.tick[0 if wide else 1])
    if shifted["epoch"].max() <= _FULL_EPOCH_TICKS:
        chart.update_xaxes(dtick=1)
    return chart


def _of_kinds(rows: pd.DataFrame, lines: Mapping[str, Line]) -> Iterator[tuple[str, Line, pd.DataFrame]]:
    for kind, line in lines.items():
        own = rows[rows["run"] == kind]
        if not own.empty:
            yield kind, line, own


def _width(values: "pd.Series[float]") -> float:
    return float(values.max() - values.min())


def _smoothed(seed: pd.DataFrame, every: int) -> pd.DataFrame:
    window = max(1, round(len(seed) * _SMOOTHING_SHARE))
    smooth = seed.assign(loss=seed["loss"].rolling(window, center=True, min_periods=1).mean())
    return smooth.iloc[::every]


def _add_line(
    chart: go.Figure, kind: str, line: Line, points: pd.DataFrame, x: str, y: str, *, thick: bool
) -> None:
    chart.add_scatter(
        x=[round(value, 3) for value in points[x].tolist()],
        y=[round(value, 5) for value in points[y].tolist()],
        mode="lines",
        name=line.name,
        line={"color": line.colour, "width": line.width if thick else 1},
        opacity=1 if thick else 0.5,
        showlegend=thick,
        legendgroup=kind,
        hoverinfo=None if thick else "skip",
    )
