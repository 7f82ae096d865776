"""What came out of a comparison, in figures?"""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from mercuric.files.json_text import json_text
from mercuric.files.writing import write_text
from mercuric.studies.machine import machine
from mercuric.studies.train.config import RunConfig
from mercuric.studies.train.outcome import Outcome
from mercuric.studies.train.summary_file import parse_summary
from mercuric.studies.train.ways.known import way_of
from mercuric.subjects.lesson import Lesson
from mercuric.subjects.providers.registry import provider_of
from mercuric.training import full_batches

PLURALS = {"accuracy": "accuracies", "bleu": "bleus"}
"""What the scores of all seeds are called in ``summary.json``."""


def summarize(config: RunConfig, lesson: Lesson, outcomes: Sequence[Outcome], folder: Path) -> dict[str, Any]:
    """Write ``summary.json`` and return what it holds.

    Scores (named by the task's metric), seconds and cycles of a whole training are means over seeds;
    rates are shares of all input vectors.
    """
    metric = lesson.task.metric
    summary: dict[str, Any] = {
        "model": config.model,
        "width": config.width,
        "data": config.data,
        "metric": metric,
        "seeds": list(config.seeds),
        "epochs": config.training.epochs,
        "batch_size": config.training.batch_size,
        "steps": config.training.epochs * full_batches(len(lesson.task), config.training.batch_size),
        **lesson.described,
        "weights": _start(config),
        "seconds": {},
    }
    for run in config.runs:
        own = [outcome for outcome in outcomes if outcome.run == run]
        summary["seconds"][run] = mean(outcome.seconds for outcome in own)
        summary[run] = _scores(own, metric)
        method = config.method(run)
        if method is None:
            continue
        without = mean(outcome.score_without_reuse for outcome in own)
        way = way_of(method)
        summary[run] |= {f"{metric}_without_reuse": without, **way.part(own, method, folder)}
        summary |= way.whole(own, config)
    summary["machine"] = machine()
    found = parse_summary(summary).plain()
    write_text(folder / "summary.json", json_text(found) + "\n")
    return found


def _start(config: RunConfig) -> str:
    own = provider_of(config.model).weights(config.model)
    return "trained from scratch" if own is None else f"trained from weights {own}"


def _scores(outcomes: Sequence[Outcome], metric: str) -> dict[str, Any]:
    scores = [outcome.score for outcome in outcomes]
    spread = stdev(scores) if len(scores) > 1 else 0.0
    return {metric: mean(scores), PLURALS[metric]: scores, "spread": spread}
