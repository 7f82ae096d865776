"""What does MERCURY cost in accuracy, network by network? The rows of ``docs/accuracy.md``."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from multiprocessing.managers import SyncManager
from pathlib import Path
from queue import Queue
from statistics import mean
from threading import Thread
from typing import Any

from mercuric.errors import ArgumentError, MercuricError
from mercuric.files.reading import read_json_object
from mercuric.files.writing import write_text
from mercuric.progress import Progress, silent
from mercuric.studies.process_pool import process_pool, shared_objects
from mercuric.studies.run_folder import alone
from mercuric.studies.train.config import RunConfig
from mercuric.studies.train.study import claim, compare, lesson_of


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
    jobs: int = 1,
    resume: bool = False,
    progress: Progress = silent,
) -> list[AccuracyRow]:
    """Train every row, densely and with MERCURY, and write ``accuracy.csv``.

    Args:
        rows: name to configuration, as in :mod:`~mercuric.studies.accuracy.rows`.
        folder: each row's run gets a folder in it.
        jobs: rows trained at a time, each in a process with its share of the processor's cores.
        resume: go on where rows were stopped; finished ones are read, not trained again.
        progress: told after each step.

    Raises:
        ValueError: ``jobs`` is under 1.
        MercuricError: a row's folder holds a run and ``resume`` is False; data are missing; or a process
            was killed.
    """
    if jobs < 1:
        raise ArgumentError(f"jobs was {jobs}, but must be at least 1")
    if jobs == 1:
        for name, config in rows.items():
            _train_row(name, config, folder, resume, progress)
    else:
        _train_in_processes(rows, folder, jobs, resume, progress)
    measured = [read_row(name, folder / name) for name in rows]
    write_text(folder / "accuracy.csv", as_csv(measured))
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


def as_csv(rows: Sequence[AccuracyRow]) -> str:
    """The rows with a header."""
    text = io.StringIO()
    table = csv.DictWriter(text, [field.name for field in fields(AccuracyRow)], lineterminator="\n")
    table.writeheader()
    table.writerows(asdict(row) for row in rows)
    return text.getvalue()


def _train_row(name: str, config: RunConfig, folder: Path, resume: bool, progress: Progress) -> None:
    if resume and _finished(folder / name, config):
        claim(config, lesson_of(config), folder / name, resume)
        return
    done: dict[str, int] = {}

    def told(step: int, total: int, what: str = "", run: str = "", /) -> None:
        done[run] = step
        trainings = len(config.runs) * len(config.seeds)
        progress(sum(done.values()), total * trainings, f"{run}, {what}", name)

    compare(config, folder / name, resume, told)


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


def _train_in_processes(
    rows: Mapping[str, RunConfig], folder: Path, jobs: int, resume: bool, progress: Progress
) -> None:
    with (
        shared_objects() as manager,
        _told(manager, progress) as queue,
        process_pool(jobs) as pool,
    ):
        trainings = [
            pool.submit(_in_process, name, config, folder, resume, queue) for name, config in rows.items()
        ]
        for training in as_completed(trainings):
            training.result()


def _in_process(name: str, config: RunConfig, folder: Path, resume: bool, queue: "Queue[Any]") -> None:
    _train_row(name, config, folder, resume, lambda *told: queue.put(told))


@contextmanager
def _told(manager: SyncManager, progress: Progress) -> Iterator["Queue[Any]"]:
    """A queue for other processes, whose messages go to ``progress``."""
    queue: Queue[Any] = manager.Queue()

    def listen() -> None:
        while (told := queue.get()) is not None:
            progress(*told)

    listener = Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield queue
    finally:
        queue.put(None)
        listener.join()
