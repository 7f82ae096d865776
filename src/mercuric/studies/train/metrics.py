"""How did the training go, step by step? ``metrics.jsonl``, checked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from mercuric.errors import ArgumentError, MercuricError
from mercuric.page.score import MetricName
from mercuric.studies.train.config import RunName
from mercuric.training.metrics import MetricsLine, numbered_lines

_COLUMNS = {
    "step": ("run", "seed", "epoch", "step", "loss", "seconds"),
    "epoch": ("run", "seed", "epoch", "step", "train_loss", "test_loss", "test_score", "seconds"),
}
_IDENTITY = {"step": ["run", "seed", "step"], "epoch": ["run", "seed", "epoch"]}


@dataclass(frozen=True)
class Metrics:
    """What training logged.

    Attributes:
        steps: a row a step: run, seed, epoch, step, loss, seconds.
        epochs: a row an epoch: run, seed, epoch, step, train_loss, test_loss, test_score, seconds.
    """

    steps: pd.DataFrame
    epochs: pd.DataFrame


def read_metrics(path: Path, metric: MetricName) -> Metrics:
    """Read the log; a last line cut off by a kill is left out, a repeated step counts once, the later one.

    Args:
        path: ``metrics.jsonl``.
        metric: the name that the log has for the score.

    Raises:
        MercuricError: a line is broken; names the file and the line.
    """
    events: dict[str, list[dict[str, Any]]] = {"step": [], "epoch": []}
    for number, line in numbered_lines(path):
        if line.event in events:
            try:
                events[line.event].append(_columns(line, metric))
            except ValueError as error:
                raise MercuricError(f"{path}: line {number} is broken: {error}") from None
    return Metrics(_frame(events["step"], "step"), _frame(events["epoch"], "epoch"))


def _columns(line: MetricsLine, metric: MetricName) -> dict[str, Any]:
    event = {**line.model_dump(), **line.figures}
    for column in _COLUMNS[line.event]:
        name = f"test_{metric}" if column == "test_score" else column
        if name not in event:
            raise ArgumentError(f"{name} is missing")
        event[column] = event[name]
    if line.run not in get_args(RunName):
        raise ArgumentError(f"run is {line.run!r}, expected {' or '.join(get_args(RunName))}")
    return event


def _frame(events: list[dict[str, Any]], kind: str) -> pd.DataFrame:
    frame = pd.DataFrame(events, columns=list(_COLUMNS[kind]))
    identity = _IDENTITY[kind]
    return frame.drop_duplicates(identity, keep="last").sort_values(identity, ignore_index=True)
