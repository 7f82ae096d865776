"""What does the run say, in one sentence? Losses are said as plainly as gains."""

from mercuric.page import formats
from mercuric.studies.train.summary_file import Summary


def headline(summary: Summary) -> str:
    """The run's result in one sentence made from its figures."""
    if summary.reuse is None:
        return _dense_only(summary)
    score, good_score = _score_clause(summary)
    speed, good_speed = _speed_clause(summary)
    if not speed:
        return f"Trained {summary.trained}, {summary.network} {score}."
    joiner = "and" if good_score == good_speed else "but"
    return f"{speed}, {joiner} {score}."


def _dense_only(summary: Summary) -> str:
    reached = summary.metric.written(summary.dense.score if summary.dense else None)
    sentence = (
        f"Dense training of {summary.network} on {summary.data} reaches {reached} {summary.metric.name}"
    )
    if summary.cycles is None or not formats.is_known(summary.cycles.baseline):
        return f"{sentence}."
    return f"{sentence} in {formats.cycles(summary.cycles.baseline)} on {summary.cycles.accelerator}."


def _speed_clause(summary: Summary) -> tuple[str, bool]:
    if summary.directions is not None:
        ratio = summary.seconds_ratio
        if ratio is None:
            return "", False
        return f"In directions {summary.network} trains {_pace(ratio)} on this machine", round(ratio, 2) >= 1
    paper, fair = summary.speedup.paper, summary.speedup.fair
    where = f"On {summary.cycles.accelerator}, " if summary.cycles else ""
    subject = f"{where}MERCURY trains {summary.network}"
    in_paper, against_fair = "in the paper's timing", "against a pipelined baseline"
    if paper is None and fair is None:
        return "", False
    if paper is None or fair is None:
        known, timing = (fair or 0.0, against_fair) if paper is None else (paper, in_paper)
        return f"{subject} {_pace(known)} {timing}", round(known, 2) >= 1
    gains = [round(paper, 2) > 1, round(fair, 2) > 1]
    joiner = "and" if gains[0] == gains[1] else "but"
    clause = f"{subject} {_pace(paper)} {in_paper} {joiner} {_pace(fair)} {against_fair}"
    return clause, all(round(speedup, 2) >= 1 for speedup in (paper, fair))


def _pace(speedup: float) -> str:
    if round(speedup, 2) == 1:
        return "no faster (1.00x)"
    return f"{formats.ratio(speedup)} faster" if speedup > 1 else f"slower ({formats.ratio(speedup)})"


def _score_clause(summary: Summary) -> tuple[str, bool]:
    metric, reuse, change = summary.metric, summary.reuse, summary.score_change
    if reuse is None or not formats.is_known(reuse.score):
        return f"reaches no {metric.name}: training diverged", False
    if change is None:
        return f"reaches {metric.written(reuse.score)} {metric.name}", True
    if metric.is_nothing(change):
        return f"keeps the {metric.name}", True
    verdict = f"{'gains' if change > 0 else 'loses'} {metric.width(change)} of {metric.name}"
    return verdict + _certainty(summary, change), change > 0


def _certainty(summary: Summary, change: float) -> str:
    if len(summary.seeds) == 1:
        return " (one seed)"
    spreads = [kind.spread for kind in (summary.dense, summary.reuse) if kind and kind.spread is not None]
    if spreads and abs(change) <= max(spreads):
        return ", within the spread over seeds"
    return ""


def lead(summary: Summary) -> str:
    """The sentences under the headline: what the figures in it rest on."""
    return " ".join(filter(None, (_trained(summary), _reused(summary), _simulated(summary))))


def _trained(summary: Summary) -> str:
    seeds = formats.number_of(len(summary.seeds), "seed")
    reached = [
        f"{summary.metric.written(kind.score)} {name}"
        for kind, name in ((summary.dense, "dense"), (summary.reuse, summary.trained))
        if kind
    ]
    return f"Test {summary.metric.name} on {summary.data} over {seeds}: {formats.listing(reached)}."


def _reused(summary: Summary) -> str:
    reuse = summary.reuse
    if reuse is not None and reuse.directions is not None:
        return (
            f"{reuse.directions.written} layers computed in directions when training ended; no vectors were "
            "compared, so there are no HITs and no simulated cycles."
        )
    if reuse is None or reuse.hit_rate is None:
        return ""
    sentence = f"{formats.percent(reuse.hit_rate)} of the input vectors reused an earlier result"
    if reuse.zero_hit_rate is None:
        return f"{sentence}."
    zero, similar = formats.percent(reuse.zero_hit_rate), formats.percent(reuse.similar_rate)
    return f"{sentence}: {similar} were similar to an earlier vector, {zero} were all zero."


def _simulated(summary: Summary) -> str:
    cycles = summary.cycles
    if cycles is None or not formats.is_known(cycles.mercury) or not formats.is_known(cycles.baseline):
        return ""
    sentence = (
        f"Simulated over the whole training, {formats.cycles(cycles.baseline)} became "
        f"{formats.count(cycles.mercury)}"
    )
    if formats.is_known(cycles.signature):
        sentence += f", {formats.count(cycles.signature)} of them spent on signatures"
    return f"{sentence}."
