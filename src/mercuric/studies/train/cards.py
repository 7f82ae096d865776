"""Which few figures tell the run?"""

from mercuric.page import formats
from mercuric.page.parts import Card
from mercuric.studies.train.summary_file import Summary


def key_figures(summary: Summary) -> list[Card]:
    """The cards of a run, those without a value left out."""
    cards = [_score(summary), *_speedups(summary), _cycles(summary), _hits(summary), *_directions(summary)]
    cards.append(_time(summary))
    return [card for card in cards if card.value != formats.MISSING]


def _score(summary: Summary) -> Card:
    metric, change = summary.metric, summary.score_change
    label = f"Test {metric.name}"
    if summary.reuse is None:
        only = summary.dense.score if summary.dense else None
        return Card(label, metric.written(only), "dense training")
    reached = metric.written(summary.reuse.score)
    if summary.dense is None or change is None:
        return Card(label, reached, summary.trained)
    beside = f"{metric.change(change)} to dense {metric.written(summary.dense.score)}"
    loses = change < -max(summary.dense.spread or 0.0, summary.reuse.spread or 0.0)
    return Card(label, reached, beside, bad=loses)


def _speedups(summary: Summary) -> list[Card]:
    paper, fair, published = summary.speedup.paper, summary.speedup.fair, summary.speedup.published
    beside = f"published: {formats.ratio(published)}" if published else "no published figure"
    return [
        Card("Speed-up, paper timing", formats.ratio(paper), beside, bad=_is_loss(paper)),
        Card("Speed-up, fair timing", formats.ratio(fair), "baseline pipelined as well", bad=_is_loss(fair)),
    ]


def _is_loss(speedup: float | None) -> bool:
    return speedup is not None and round(speedup, 2) < 1


def _cycles(summary: Summary) -> Card:
    if summary.cycles is None:
        return Card("Cycles", formats.MISSING, "")
    cycles = summary.cycles
    if not formats.is_known(cycles.mercury):
        return Card("Cycles", formats.count(cycles.baseline), f"baseline, {cycles.accelerator}")
    return Card("Cycles", formats.count(cycles.mercury), f"baseline {formats.count(cycles.baseline)}")


def _hits(summary: Summary) -> Card:
    if summary.reuse is None:
        return Card("Hit rate", formats.MISSING, "")
    zero, similar = formats.percent(summary.reuse.zero_hit_rate), formats.percent(summary.reuse.similar_rate)
    known = summary.reuse.zero_hit_rate is not None
    beside = f"{similar} similar + {zero} zero" if known else "of the input vectors"
    return Card("Hit rate", formats.percent(summary.reuse.hit_rate), beside)


def _directions(summary: Summary) -> list[Card]:
    if summary.directions is None:
        return []
    ratio = summary.seconds_ratio
    return [
        Card("Speed-up in seconds", formats.ratio(ratio), "dense seconds over these", bad=_is_loss(ratio)),
        Card("Layers in directions", summary.directions.written, f"rank {summary.directions.wanted}"),
    ]


def _time(summary: Summary) -> Card:
    dense, reuse = (formats.duration(value) for value in (summary.seconds.dense, summary.seconds.reuse))
    if reuse == formats.MISSING:
        return Card("Training time", dense, "dense, wall-clock")
    beside = f"{summary.method} in PyTorch" if dense == formats.MISSING else f"in PyTorch; dense {dense}"
    return Card("Training time", reuse, beside)
