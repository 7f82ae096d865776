"""How do dense training and the methods compare, figure by figure?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mercuric.page import formats
from mercuric.page.parts import Part
from mercuric.page.score import Metric
from mercuric.page.table import SortableTable
from mercuric.page.table import words as text_column
from mercuric.studies.train.figure import Figure, written
from mercuric.studies.train.summary_file import CycleTotals, Summary, Trained
from mercuric.studies.train.words.known import words_of


@dataclass(frozen=True)
class Comparison:
    """A figure a row, dense beside the methods; ``columns`` are their fields and names."""

    template: ClassVar[str] = "mercuric.studies.train/comparison.html"
    figures: Sequence[Figure]
    columns: Sequence[tuple[str, str]]

    @property
    def parts(self) -> Sequence[Part]:
        """The same as a plain table."""
        labels = text_column("", [figure.label for figure in self.figures])
        cells = [
            text_column(name, [figure.cell(field) for figure in self.figures]) for field, name in self.columns
        ]
        return [SortableTable([labels, *cells])]


def compare(summary: Summary) -> list[Figure]:
    """Every figure of the run that exists, dense beside the methods."""
    told = words_of(summary)
    own: list[Figure] = []
    for run, words in told.items():
        own = _beside(own, words.figures(summary, run))
    rows = [*_scores(summary), *_times(summary), *_cycles(summary), *_speedups(summary), *own]
    return [row for row in rows if any(row.cell(run) for run in ("dense", *told))]


def _beside(rows: list[Figure], more: Sequence[Figure]) -> list[Figure]:
    """Rows of a method and of another one: what both have is one row, with the details of both below it."""
    joined, place = list(rows), len(rows)
    for figure in more:
        same = [at for at, row in enumerate(joined) if not figure.detail and row.label == figure.label]
        if same:
            place = same[0]
            joined[place] = Figure(figure.label, {**joined[place].cells, **figure.cells})
        else:
            place = place if figure.detail else len(joined)
            joined.insert(place, figure)
        place += 1
    return joined


def columns(summary: Summary, rows: Sequence[Figure]) -> list[tuple[str, str]]:
    """The fields of the rows that have a figure, with the names that they are shown under."""
    methods = [(run, words.name) for run, words in words_of(summary).items()]
    named = [("dense", "dense"), *methods, ("published", "published")]
    return [(field, name) for field, name in named if any(row.cell(field) for row in rows)]


def _scores(summary: Summary) -> list[Figure]:
    metric = summary.metric
    kinds: dict[str, Trained] = {**({"dense": summary.dense} if summary.dense else {}), **summary.compared}
    without = [
        Figure(
            f"evaluated {words.plainly}",
            {run: written(metric.written(summary.compared[run].score_without_reuse))},
            detail=True,
        )
        for run, words in words_of(summary).items()
    ]
    return [
        Figure(f"test {metric.name}", {run: metric.written(kind.score) for run, kind in kinds.items()}),
        Figure("spread over seeds", {run: _spread(kind, metric) for run, kind in kinds.items()}, detail=True),
        Figure("each seed", {run: _each(kind, metric) for run, kind in kinds.items()}, detail=True),
        *without,
    ]


def _spread(kind: Trained, metric: Metric) -> str:
    return written(metric.width(kind.spread)) if len(kind.scores) > 1 else ""


def _each(kind: Trained, metric: Metric) -> str:
    if not 2 <= len(kind.scores) <= 5:
        return ""
    return " · ".join(metric.written(score, unit=False) for score in kind.scores)


def _times(summary: Summary) -> list[Figure]:
    seconds = {run: summary.seconds_of(run) for run in ("dense", *summary.compared)}
    rows = [
        Figure(
            "wall-clock training time", {run: written(formats.duration(one)) for run, one in seconds.items()}
        )
    ]
    timed = [run for run, words in words_of(summary).items() if words.timed]
    if timed:
        steps = {run: _step(seconds[run], summary) for run in ("dense", *timed)}
        ratios = {run: written(formats.ratio(summary.seconds_ratio(run))) for run in timed}
        rows += [Figure("seconds a step", steps, detail=True), Figure("speed-up in seconds", ratios)]
    return rows


def _step(seconds: float | None, summary: Summary) -> str:
    return "" if seconds is None or not summary.steps else f"{seconds / summary.steps:.3g}"


def _cycles(summary: Summary) -> list[Figure]:
    if summary.cycles is None:
        return []
    run = summary.mercury_run or "reuse"
    rows = _totals(summary.cycles, f"{summary.cycles.timing} timing", run)
    return rows + (_totals(summary.cycles.fair, "fair timing", run) if summary.cycles.fair else [])


def _totals(totals: CycleTotals, timing: str, run: str) -> list[Figure]:
    baseline, mercury, signature = (
        written(formats.count(value)) for value in (totals.baseline, totals.mercury, totals.signature)
    )
    return [
        Figure(f"cycles, {timing}", {"dense": baseline, run: mercury}),
        Figure("of which signatures", {run: signature}, detail=True),
    ]


def _speedups(summary: Summary) -> list[Figure]:
    run = summary.mercury_run or "reuse"
    paper, fair, published = (
        written(formats.ratio(value))
        for value in (summary.speedup.paper, summary.speedup.fair, summary.speedup.published)
    )
    return [
        Figure("speed-up, paper timing", {run: paper, "published": published}),
        Figure("speed-up, fair timing", {run: fair}),
    ]
