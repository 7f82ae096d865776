"""How did the training go, step by step? ``metrics.jsonl``, checked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mercuric.errors import MalformedError, MercuricError
from mercuric.reading import MOST_LOG, parse_json, read_bytes
from mercuric.report.score import MetricName

_COLUMNS = {
    "step": ("run", "seed", "epoch", "step", "loss", "seconds"),
    "epoch": ("run", "seed", "epoch", "step", "train_loss", "test_loss", "test_score", "seconds"),
}
_IDENTITY = {"step": ["run", "seed", "step"], "epoch": ["run", "seed", "epoch"]}
_KINDS = ("dense", "reuse")


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
    lines = read_bytes(path, MOST_LOG).decode("utf-8", errors="replace").split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            event = _parse(line, metric)
        except ValueError as error:
            if number == len(lines):
                break
            raise MercuricError(f"{path}: line {number} is broken: {error}") from error
        if event["event"] in events:
            events[event["event"]].append(event)
    return Metrics(_frame(events["step"], "step"), _frame(events["epoch"], "epoch"))


def _parse(line: str, metric: MetricName) -> dict[str, Any]:
    try:
        event = parse_json(line, "it", infinite=True)
    except MalformedError as error:
        raise ValueError("not a JSON object") from error
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        raise ValueError('not a JSON object with an "event"')
    for column in _COLUMNS.get(event["event"], ()):
        name = f"test_{metric}" if column == "test_score" else column
        if name not in event:
            raise ValueError(f"{name} is missing")
        if name == "run" and event["run"] not in _KINDS:
            raise ValueError(f"run is {event['run']!r}, expected dense or reuse")
        if name != "run" and not isinstance(event[name], int | float):
            raise ValueError(f"{name} is {event[name]!r}, expected a number")
        event[column] = event[name]
    return event


def _frame(events: list[dict[str, Any]], kind: str) -> pd.DataFrame:
    frame = pd.DataFrame(events, columns=list(_COLUMNS[kind]))
    identity = _IDENTITY[kind]
    return frame.drop_duplicates(identity, keep="last").sort_values(identity, ignore_index=True)
