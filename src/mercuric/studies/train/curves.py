"""How did dense training and training with MERCURY go? Loss and score over time."""

import pandas as pd
import plotly.graph_objects as go

from mercuric.page.chart import KIND_COLOURS, KIND_NAMES, figure
from mercuric.page.score import Metric

_MOST_POINTS = 400
_SMOOTHING_SHARE = 0.02
_FULL_EPOCH_TICKS = 20
_TIME_UNITS = ((7200, "hours", 3600), (600, "minutes", 60), (0, "seconds", 1))


def loss_chart(steps: pd.DataFrame, against: str, method: str = KIND_NAMES["reuse"]) -> go.Figure:
    """Smoothed training loss, thin a seed and thick their mean.

    Args:
        steps: as in :class:`Metrics`.
        against: the x axis: ``"step"`` or ``"seconds"``.
        method: what is held against dense training, as the legend names it.
    """
    longest = float(steps["seconds"].max())
    unit, size = next((unit, size) for limit, unit, size in _TIME_UNITS if longest >= limit)
    chart = figure(340, "training step" if against == "step" else f"{unit} of training", "training loss")
    scaled = steps.assign(seconds=steps["seconds"] / size)
    for kind, rows in scaled.groupby("run"):
        every = max(1, int(rows.groupby("seed").size().max()) // _MOST_POINTS)
        seeds = [_smoothed(seed, every) for _, seed in rows.groupby("seed")]
        mean = pd.concat(seeds).groupby("step", as_index=False)[["loss", "seconds"]].mean()
        mean = mean[mean["step"] <= min(seed["step"].max() for seed in seeds)]
        if len(seeds) > 1:
            for seed in seeds:
                _add_line(chart, str(kind), seed, against, "loss", thick=False, method=method)
        _add_line(chart, str(kind), mean, against, "loss", thick=True, method=method)
    chart.update_yaxes(rangemode="tozero")
    chart.update_traces(hovertemplate="%{y:.3f}", selector={"showlegend": True})
    return chart


def score_chart(epochs: pd.DataFrame, metric: Metric, method: str = KIND_NAMES["reuse"]) -> go.Figure:
    """Test score after each epoch, thin a seed and thick their mean."""
    chart = figure(340, "after epoch", f"test {metric.name}")
    shifted = epochs.assign(epoch=epochs["epoch"] + 1)
    for kind, rows in shifted.groupby("run"):
        if rows["seed"].nunique() > 1:
            for _, seed in rows.groupby("seed"):
                _add_line(chart, str(kind), seed, "epoch", "test_score", thick=False, method=method)
        mean = rows.groupby("epoch", as_index=False)[["test_score"]].mean()
        _add_line(chart, str(kind), mean, "epoch", "test_score", thick=True, method=method)
    chart.update_traces(mode="lines+markers", marker={"size": 7}, selector={"showlegend": True})
    chart.update_traces(
        hovertemplate="%{y:.2%}" if metric.unit else "%{y:.2f}", selector={"showlegend": True}
    )
    wide = metric.points * _width(epochs["test_score"]) > 5
    chart.update_yaxes(tickformat=metric.tick[0 if wide else 1])
    if shifted["epoch"].max() <= _FULL_EPOCH_TICKS:
        chart.update_xaxes(dtick=1)
    return chart


def _width(values: "pd.Series[float]") -> float:
    return float(values.max() - values.min())


def _smoothed(seed: pd.DataFrame, every: int) -> pd.DataFrame:
    window = max(1, round(len(seed) * _SMOOTHING_SHARE))
    smooth = seed.assign(loss=seed["loss"].rolling(window, center=True, min_periods=1).mean())
    return smooth.iloc[::every]


def _add_line(
    chart: go.Figure, kind: str, points: pd.DataFrame, x: str, y: str, *, thick: bool, method: str
) -> None:
    chart.add_scatter(
        x=[round(value, 3) for value in points[x].tolist()],
        y=[round(value, 5) for value in points[y].tolist()],
        mode="lines",
        name=kind if kind == "dense" else method,
        line={"color": KIND_COLOURS[kind], "width": 3 if thick else 1},
        opacity=1 if thick else 0.5,
        showlegend=thick,
        legendgroup=kind,
        hoverinfo=None if thick else "skip",
    )
