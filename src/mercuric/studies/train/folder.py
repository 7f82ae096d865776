"""What is in a run's folder?"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from mercuric.errors import MercuricError
from mercuric.files.reading import read_json_object, read_yaml
from mercuric.studies.train.config import LAYERS
from mercuric.studies.train.layers import read_layers
from mercuric.studies.train.metrics import Metrics, read_metrics
from mercuric.studies.train.summary_file import Summary, parse_summary
from mercuric.studies.train.words.known import words_of
from mercuric.studies.train.words.words import Words


@dataclass(frozen=True)
class Run:
    """A finished run, read and checked.

    Attributes:
        name: the folder's name.
        config: the configuration, as YAML text.
        layers: run of a training that reuses to a row a layer, as ``Words.over_seeds`` makes them.
    """

    name: str
    config: str
    metrics: Metrics
    summary: Summary
    layers: dict[str, pd.DataFrame]


def read_run(folder: Path) -> Run:
    """Read the folder a run wrote.

    Raises:
        MercuricError: the folder or a file is missing or broken; names it and what is wrong with it.
    """
    if not folder.is_dir():
        raise MercuricError(f"{folder} is not a run's folder: no such directory")
    summary = _read_summary(_existing(folder / "summary.json"))
    return Run(
        name=folder.resolve().name,
        config=_read_config(_existing(folder / "config.yaml")),
        metrics=read_metrics(_existing(folder / "metrics.jsonl"), summary.metric_name),
        summary=summary,
        layers={
            run: _read_layers(_existing(folder / LAYERS[run]), words)
            for run, words in words_of(summary).items()
        },
    )


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise MercuricError(f"{path} is missing: {path.parent} is not the folder of a finished run")
    return path


def _read_summary(path: Path) -> Summary:
    content = read_json_object(path)
    try:
        return parse_summary(content)
    except ValueError as error:
        raise MercuricError(f"{path} is broken: {error}") from error


def _read_config(path: Path) -> str:
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise MercuricError(f"{path} is broken: it is not a YAML mapping")
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _read_layers(path: Path, words: Words) -> pd.DataFrame:
    try:
        return words.over_seeds(read_layers(path))
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = " ".join(str(error).split())
        raise MercuricError(f"{path} is broken: {reason}") from error
