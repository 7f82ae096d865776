"""How do dense training and MERCURY compare, figure by figure?"""

from collections.abc import Sequence
from dataclasses import dataclass

from mercuric.page import formats
from mercuric.page.score import Metric
from mercuric.studies.train.summary_file import CycleTotals, Reused, Summary, Trained


@dataclass(frozen=True)
class Figure:
    """One row of the comparison; an empty text is a figure that does not exist for that kind."""

    label: str
    dense: str = ""
    reuse: str = ""
    published: str = ""
    detail: bool = False
    """Whether the row is a part of the one above it."""


def compare(summary: Summary) -> list[Figure]:
    """Every figure of the run that exists, dense beside MERCURY."""
    rows = [*_scores(summary), *_times(summary), *_cycles(summary), *_speedups(summary)]
    return [row for row in [*rows, *_rates(summary)] if row.dense or row.reuse]


def columns(summary: Summary, rows: Sequence[Figure]) -> list[tuple[str, str]]:
    """The fields of the rows that have a figure, with the names that they are shown under."""
    named = [("dense", "dense"), ("reuse", summary.method), ("published", "published")]
    return [(field, name) for field, name in named if any(getattr(row, field) for row in rows)]


def _written(text: str) -> str:
    return "" if text == formats.MISSING else text


def _scores(summary: Summary) -> list[Figure]:
    metric, dense, reuse = summary.metric, summary.dense, summary.reuse
    without = _written(metric.written(reuse.score_without_reuse)) if reuse else ""
    return [
        Figure(f"test {metric.name}", _score(dense, metric), _score(reuse, metric)),
        Figure("spread over seeds", _spread(dense, metric), _spread(reuse, metric), detail=True),
        Figure("each seed", _each(dense, metric), _each(reuse, metric), detail=True),
        Figure(f"evaluated {_plainly(summary)}", reuse=without, detail=True),
    ]


def _plainly(summary: Summary) -> str:
    return "without reuse" if summary.directions is None else "as a plain network"


def _score(kind: Trained | None, metric: Metric) -> str:
    return "" if kind is None else metric.written(kind.score)


def _spread(kind: Trained | None, metric: Metric) -> str:
    if kind is None or len(kind.scores) < 2:
        return ""
    return _written(metric.width(kind.spread))


def _each(kind: Trained | None, metric: Metric) -> str:
    if kind is None or not 2 <= len(kind.scores) <= 5:
        return ""
    return " · ".join(metric.written(score, unit=False) for score in kind.scores)


def _times(summary: Summary) -> list[Figure]:
    dense, reuse = (
        _written(formats.duration(seconds)) for seconds in (summary.seconds.dense, summary.seconds.reuse)
    )
    rows = [Figure("wall-clock training time", dense, reuse)]
    if summary.directions is not None:
        dense, reuse = _step(summary.seconds.dense, summary), _step(summary.seconds.reuse, summary)
        rows.append(Figure("seconds a step", dense, reuse, detail=True))
        rows.append(Figure("speed-up in seconds", reuse=_written(formats.ratio(summary.seconds_ratio))))
    return rows


def _step(seconds: float | None, summary: Summary) -> str:
    return "" if seconds is None or not summary.steps else f"{seconds / summary.steps:.3g}"


def _cycles(summary: Summary) -> list[Figure]:
    if summary.cycles is None:
        return []
    rows = _totals(summary.cycles, f"{summary.cycles.timing} timing")
    return rows + (_totals(summary.cycles.fair, "fair timing") if summary.cycles.fair else [])


def _totals(totals: CycleTotals, timing: str) -> list[Figure]:
    baseline, mercury, signature = (
        _written(formats.count(value)) for value in (totals.baseline, totals.mercury, totals.signature)
    )
    return [
        Figure(f"cycles, {timing}", baseline, mercury),
        Figure("of which signatures", reuse=signature, detail=True),
    ]


def _speedups(summary: Summary) -> list[Figure]:
    paper, fair, published = (
        _written(formats.ratio(value))
        for value in (summary.speedup.paper, summary.speedup.fair, summary.speedup.published)
    )
    return [
        Figure("speed-up, paper timing", reuse=paper, published=published),
        Figure("speed-up, fair timing", reuse=fair),
    ]


def _rates(summary: Summary) -> list[Figure]:
    reuse = summary.reuse
    if reuse is None:
        return []
    if reuse.directions is not None:
        return [
            Figure("directions a layer", reuse=reuse.directions.wanted),
            Figure("layers in directions at the end", reuse=reuse.directions.written),
            Figure("hit rate", reuse="none: no vectors compared"),
            Figure("cycles", reuse="not simulated"),
        ]
    hits, zero, similar, vectors = (
        _written(formats.percent(rate))
        for rate in (reuse.hit_rate, reuse.zero_hit_rate, reuse.similar_rate, reuse.zero_rate)
    )
    return [
        Figure("hit rate", reuse=hits),
        Figure("of which similar vectors", reuse=similar, detail=True),
        Figure("of which zero vectors", reuse=zero, detail=True),
        Figure("zero vectors among all", reuse=vectors),
        Figure("signature bits", reuse="" if reuse.bits is None else f"{reuse.bits:g}"),
        Figure("at the end of training", reuse=_final_bits(reuse), detail=True),
    ]


def _final_bits(reuse: Reused) -> str:
    bits = {final for seed in reuse.final_bits for final in seed.values()}
    if not bits or bits == {reuse.bits}:
        return ""
    return f"{min(bits):g}" if len(bits) == 1 else f"{min(bits):g} to {max(bits):g}"
