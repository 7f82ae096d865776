"""What does the run say, in one sentence? Losses are said as plainly as gains."""

from mercuric.page import formats
from mercuric.studies.train.summary_file import Summary
from mercuric.studies.train.words.known import words_of
from mercuric.studies.train.words.words import Words


def headline(summary: Summary) -> str:
    """The run's result in one sentence made from its figures."""
    for run, words in words_of(summary).items():
        return _sentence(summary, run, words)
    return _dense_only(summary)


def _sentence(summary: Summary, run: str, words: Words) -> str:
    score, good_score = _score_clause(summary, run)
    claim, good_claim = words.claim(summary, run)
    if not claim:
        return f"Trained {words.trained}, {summary.network} {score}."
    joiner = "and" if good_score == good_claim else "but"
    return f"{claim}, {joiner} {score}."


def _dense_only(summary: Summary) -> str:
    reached = summary.metric.written(summary.dense.score if summary.dense else None)
    sentence = (
        f"Dense training of {summary.network} on {summary.data} reaches {reached} {summary.metric.name}"
    )
    if summary.cycles is None or not formats.is_known(summary.cycles.baseline):
        return f"{sentence}."
    return f"{sentence} in {formats.cycles(summary.cycles.baseline)} on {summary.cycles.accelerator}."


def _score_clause(summary: Summary, run: str) -> tuple[str, bool]:
    metric, part, change = summary.metric, summary.compared[run], summary.score_change(run)
    if not formats.is_known(part.score):
        return f"reaches no {metric.name}: training diverged", False
    if change is None:
        return f"reaches {metric.written(part.score)} {metric.name}", True
    if metric.is_nothing(change):
        return f"keeps the {metric.name}", True
    verdict = f"{'gains' if change > 0 else 'loses'} {metric.width(change)} of {metric.name}"
    return verdict + _certainty(summary, run, change), change > 0


def _certainty(summary: Summary, run: str, change: float) -> str:
    if len(summary.seeds) == 1:
        return " (one seed)"
    kinds = (summary.dense, summary.compared[run])
    spreads = [kind.spread for kind in kinds if kind and kind.spread is not None]
    if spreads and abs(change) <= max(spreads):
        return ", within the spread over seeds"
    return ""


def lead(summary: Summary) -> str:
    """The sentences under the headline: what the figures in it rest on, and what other methods reached."""
    sentences = [_trained(summary)]
    for place, (run, words) in enumerate(words_of(summary).items()):
        sentences += [*([_sentence(summary, run, words)] if place else []), words.lead(summary, run)]
    return " ".join(filter(None, sentences))


def _trained(summary: Summary) -> str:
    seeds = formats.number_of(len(summary.seeds), "seed")
    kinds = [("dense", summary.dense)] if summary.dense else []
    kinds += [(words.trained, summary.compared[run]) for run, words in words_of(summary).items()]
    reached = [f"{summary.metric.written(part.score)} {name}" for name, part in kinds if part]
    return f"Test {summary.metric.name} on {summary.data} over {seeds}: {formats.listing(reached)}."
