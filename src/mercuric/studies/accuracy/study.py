"""What does MERCURY cost in accuracy, network by network? The rows of ``docs/accuracy.md``."""

from collections.abc import Mapping
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd

from mercuric.errors import MercuricError
from mercuric.files.csv_text import csv_text
from mercuric.files.dataset import PARTS, write_part
from mercuric.files.reading import read_json_object
from mercuric.files.writing import write_text
from mercuric.progress import Progress, silent
from mercuric.studies.run_folder import alone, require_free
from mercuric.studies.train.config import RunConfig
from mercuric.studies.train.study import claim, compare, lesson_of
from mercuric.studies.workers import HERE, Workers


@dataclass(frozen=True)
class AccuracyRow:
    """One network on one data set, dense training beside MERCURY, means over seeds.

    Attributes:
        row: its name.
        model: the network.
        width: channels, times this.
        data: the data set.
        examples: training examples.
        epochs: passes over them.
        seeds: how many.
        metric: ``"accuracy"`` (0 to 1) or ``"bleu"`` (0 to 100).
        dense: its mean.
        dense_spread: its standard deviation over seeds.
        reuse: the same with MERCURY, evaluated as trained.
        reuse_spread: its standard deviation over seeds.
        without_reuse: of MERCURY's weights, evaluated densely.
        hit_rate: HITs over all input vectors of the training.
        zero_hit_rate: the part of them by vectors of zeros alone.
        final_bits: signature length at the end, the mean over seeds.
        layers_off: layers that were off at the end, the mean over seeds.
        layers: reuse layers of the network.
        seconds_dense: of one training.
        seconds_reuse: of one training (emulated).
    """

    row: str
    model: str
    width: float
    data: str
    examples: int
    epochs: int
    seeds: int
    metric: str
    dense: float
    dense_spread: float
    reuse: float
    reuse_spread: float
    without_reuse: float
    hit_rate: float
    zero_hit_rate: float
    final_bits: float
    layers_off: float
    layers: int
    seconds_dense: float
    seconds_reuse: float

    @property
    def gap(self) -> float:
        """Points lost: per cent of accuracy, or BLEU."""
        return (self.dense - self.reuse) * (100 if self.metric == "accuracy" else 1)


@alone
def measure(
    rows: Mapping[str, RunConfig],
    folder: Path,
    workers: Workers = HERE,
    resume: bool = False,
    progress: Progress = silent,
) -> list[AccuracyRow]:
    """Train every row, densely and with MERCURY, and write ``accuracy.csv`` and the dataset ``parts/``.

    Args:
        rows: name to configuration, as in :mod:`~mercuric.studies.accuracy.rows`.
        folder: each row's run gets a folder in it.
        workers: who trains the rows.
        resume: go on where rows were stopped; finished ones are read, not trained again.
        progress: told after each step.

    Raises:
        MercuricError: a row's folder holds a run and ``resume`` is False; data are missing; or workers fail.
    """
    if not resume:
        for name in rows:
            require_free(folder / name)
    with workers.pool(folder) as (pool, _), workers.telling(progress) as tell:
        # A row whose node was lost goes on from its folder.
        trainings = [pool.submit(_train_row, name, config, folder, tell) for name, config in rows.items()]
        for training in as_completed(trainings):
            training.result()
    measured = [read_row(name, folder / name) for name in rows]
    write_text(folder / "accuracy.csv", csv_text(map(asdict, measured)))
    return measured


def read_row(name: str, folder: Path) -> AccuracyRow:
    """What a finished run's ``summary.json`` says.

    Raises:
        MercuricError: it is broken.
    """
    path = folder / "summary.json"
    try:
        return _row(name, read_json_object(path))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise MercuricError(f"{path} is broken: {type(error).__name__}, {error}") from None


def _row(name: str, summary: dict[str, Any]) -> AccuracyRow:
    metric, reuse = summary["metric"], summary["reuse"]
    bits = [mean(layers.values()) for layers in reuse["final_bits"]]
    return AccuracyRow(
        row=name,
        model=summary["model"],
        width=summary["width"],
        data=summary["data"],
        examples=summary["train_images"] if "train_images" in summary else summary["train_pairs"],
        epochs=summary["epochs"],
        seeds=len(summary["seeds"]),
        metric=metric,
        dense=summary["dense"][metric],
        dense_spread=summary["dense"]["spread"],
        reuse=reuse[metric],
        reuse_spread=reuse["spread"],
        without_reuse=reuse[f"{metric}_without_reuse"],
        hit_rate=reuse["hit_rate"],
        zero_hit_rate=reuse["hit_rate"] - reuse["similar_rate"],
        final_bits=mean(bits),
        layers_off=mean(len(off) for off in reuse["layers_off"]),
        layers=len(reuse["final_bits"][0]),
        seconds_dense=summary["seconds"]["dense"],
        seconds_reuse=summary["seconds"]["reuse"],
    )


def _train_row(name: str, config: RunConfig, folder: Path, progress: Progress) -> None:
    if _finished(folder / name, config):
        claim(config, lesson_of(config), folder / name, resume=True)
        return
    done: dict[str, int] = {}

    def told(step: int, total: int, what: str = "", run: str = "", /) -> None:
        done[run] = step
        trainings = len(config.runs) * len(config.seeds)
        progress(sum(done.values()), total * trainings, f"{run}, {what}", name)

    compare(config, folder / name, True, told)
    write_part(pd.DataFrame([asdict(read_row(name, folder / name))]), folder / PARTS / f"{name}.parquet")


def _finished(folder: Path, config: RunConfig) -> bool:
    """Whether the folder's run is this one; more seeds or other epochs are left to train."""
    saved = folder / "summary.json"
    if not saved.exists() or RunConfig.read(folder / "config.yaml") != config:
        return False
    try:
        summary = read_json_object(saved)
    except MercuricError:
        return False
    done = [summary.get(key) for key in ("seeds", "epochs")]
    return done == [list(config.seeds), config.training.epochs]
