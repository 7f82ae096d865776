"""What came out of a comparison, in figures?"""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pandas as pd

from mercuric.accelerator import as_accelerator
from mercuric.accelerator.count.totals import totals
from mercuric.files.json_text import json_text
from mercuric.files.writing import write_text
from mercuric.reuse import Alike, Directions, similarity_rates
from mercuric.reuse.report_sums import layers_in_directions
from mercuric.studies.machine import machine
from mercuric.studies.train.config import RunConfig
from mercuric.studies.train.outcome import Outcome
from mercuric.studies.train.summary_file import parse_summary
from mercuric.subjects.lesson import Lesson
from mercuric.training import full_batches

PUBLISHED_SPEEDUP = {"vgg13": 1.89}
"""Training speed-ups that the paper gives for one network by number (section I)."""

PLURALS = {"accuracy": "accuracies", "bleu": "bleus"}
"""What the scores of all seeds are called in ``summary.json``."""


def summarize(config: RunConfig, lesson: Lesson, outcomes: Sequence[Outcome], folder: Path) -> dict[str, Any]:
    """Write ``summary.json`` and return what it holds.

    Scores (named by the task's metric), seconds and cycles of a whole training are means over seeds;
    rates are shares of all input vectors. Directions have neither rates nor cycles.
    """
    dense = [outcome for outcome in outcomes if outcome.run == "dense"]
    reuse = [outcome for outcome in outcomes if outcome.run == "reuse"]
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
        "weights": "trained from scratch",
        "seconds": {},
    }
    if dense:
        summary["dense"] = _scores(dense, metric)
        summary["seconds"]["dense"] = mean(outcome.seconds for outcome in dense)
    if reuse:
        summary["seconds"]["reuse"] = mean(outcome.seconds for outcome in reuse)
        summary["reuse"] = _scores(reuse, metric)
    if reuse and isinstance(config.reuse, Directions):
        summary["reuse"] |= _in_directions(reuse, metric, config.reuse)
    if reuse and isinstance(config.reuse, Alike):
        summary["reuse"] |= {**_reused(reuse, metric), "bits": config.reuse.bits}
        layers = pd.concat([outcome.layers for outcome in reuse])
        cycles = layers.filter(regex="^(cycles|fair)_") / len(reuse)
        summary.update(totals(cycles, as_accelerator(config.accelerator)))
        published = PUBLISHED_SPEEDUP.get(config.model) if config.width == 1 else None
        summary["speedup"]["published"] = published
    summary["machine"] = machine()
    found = parse_summary(summary).plain()
    write_text(folder / "summary.json", json_text(found) + "\n")
    return found


def _scores(outcomes: Sequence[Outcome], metric: str) -> dict[str, Any]:
    scores = [outcome.score for outcome in outcomes]
    spread = stdev(scores) if len(scores) > 1 else 0.0
    return {metric: mean(scores), PLURALS[metric]: scores, "spread": spread}


def _in_directions(outcomes: Sequence[Outcome], metric: str, config: Directions) -> dict[str, Any]:
    """How directions went; ``kept`` holds an entry a seed: layers that computed in directions at the end."""
    reports = [outcome.layers for outcome in outcomes]
    kept = [layers_in_directions(one) for one in reports]
    return {
        f"{metric}_without_reuse": mean(outcome.score_without_reuse for outcome in outcomes),
        "directions": {"rank": config.rank, "error": config.error, "layers": len(reports[0]), "kept": kept},
    }


def _reused(outcomes: Sequence[Outcome], metric: str) -> dict[str, Any]:
    """How reuse went; ``final_bits`` and ``layers_off`` hold an entry a seed, as training ended."""
    reports = [outcome.layers for outcome in outcomes]
    return {
        f"{metric}_without_reuse": mean(outcome.score_without_reuse for outcome in outcomes),
        **similarity_rates(pd.concat(reports)),
        "final_bits": [dict(zip(one["layer"], one["bits"].tolist(), strict=True)) for one in reports],
        "layers_off": [one["layer"][~one["on"].astype(bool)].tolist() for one in reports],
    }
