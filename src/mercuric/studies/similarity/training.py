"""What did a training run say of accuracy and adaptation? The data of Figs. 13 and 14a."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mercuric.errors import MercuricError
from mercuric.files.reading import read_json_object
from mercuric.files.writing import write_text
from mercuric.studies.train.adaptation_log import AdaptationLog, read_adaptation
from mercuric.studies.train.metrics import Metrics, read_metrics
from mercuric.studies.train.summary_file import Summary, parse_summary

SCORES_FILE = "fig13_scores.csv"
ADAPTATION_FILE = "fig14a_adaptation.csv"
_KEPT = "run"
_FILES = ("summary.json", "metrics.jsonl", "adaptation.csv", "layers.csv", "mercury.csv")
"""What is read of a run, and kept in the study's folder under the run's name."""


@dataclass(frozen=True)
class Trained:
    """A run's files, those that it has.

    Attributes:
        folder: of the run.
        summary: ``summary.json``, or None.
        metrics: ``metrics.jsonl``, or None where it or the summary is missing.
        adaptation: ``adaptation.csv``, or None.
        missing: a sentence for each figure that can't be drawn.
    """

    folder: Path
    summary: Summary | None
    metrics: Metrics | None
    adaptation: AdaptationLog | None
    missing: tuple[str, ...]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name


def read_training(run: Path) -> Trained:
    """Read what a folder of ``mercuric train`` has.

    Raises:
        MercuricError: no such folder, it holds none of the files, or one that is broken.
    """
    if not run.is_dir():
        raise MercuricError(f"{run} is not a run's folder: no such directory")
    has = {name for name in _FILES if (run / name).is_file()}
    if not has & {"summary.json", "metrics.jsonl", "adaptation.csv"}:
        raise MercuricError(
            f"{run} is not a run's folder: it has no summary.json, metrics.jsonl or adaptation.csv"
        )
    summary = _summary(run / "summary.json") if "summary.json" in has else None
    logged = "metrics.jsonl" in has
    metrics = _metrics(run / "metrics.jsonl", summary) if summary and logged else None
    adaptation = read_adaptation(run) if logged else None
    missing = []
    if summary is None:
        missing.append("Fig. 13 is left out: the run has no summary.json.")
    elif summary.dense is None or summary.mercury_part is None:
        kind = "dense" if summary.dense is None else "reuse"
        missing.append(
            f"Fig. 13 shows one kind of training: the run has no {kind} one (train with --compare)."
        )
    if adaptation is None:
        needed = "adaptation.csv" if logged else "metrics.jsonl"
        missing.append(f"Fig. 14a is left out: the run has no {needed}.")
    return Trained(run, summary, metrics, adaptation, tuple(missing))


def _metrics(path: Path, summary: Summary) -> Metrics:
    """Of dense training and of MERCURY's, which is called reuse whatever other methods were trained."""
    read = read_metrics(path, summary.metric_name)
    names = {"dense": "dense", summary.mercury_run: "reuse"}
    steps, epochs = (
        rows[rows["run"].isin(names)].assign(run=lambda kept: kept["run"].map(names))
        for rows in (read.steps, read.epochs)
    )
    return Metrics(steps, epochs)


def scores(trained: Trained) -> pd.DataFrame:
    """The data of Fig. 13, a row a kind of training and seed: ``run``, ``seed``, ``metric``, ``score``."""
    summary = trained.summary
    rows = [
        {"run": kind, "seed": seed, "metric": summary.metric_name, "score": score}
        for kind, one in (("dense", summary.dense), ("reuse", summary.mercury_part))
        if one is not None
        for seed, score in zip(summary.seeds, one.scores or [one.score], strict=False)
    ] if summary else []  # fmt: skip
    return pd.DataFrame(rows, columns=["run", "seed", "metric", "score"])


def adaptation_steps(log: AdaptationLog) -> pd.DataFrame:
    """The data of Fig. 14a, a row a change: ``seed``, ``step``, ``bits``, ``layers_on``, ``layers_off``."""
    rows = []
    for seed in log.seeds:
        turned = [end for end in seed.ends.values() if end is not None]
        for step in sorted({0, log.last_step, *turned, *(step for step, _ in seed.bits)}):
            off = sum(end <= step for end in turned)
            on = len(seed.ends) - off
            rows.append(
                {
                    "seed": seed.seed,
                    "step": step,
                    "bits": seed.bits_at(step),
                    "layers_on": on,
                    "layers_off": off,
                }
            )
    return pd.DataFrame(rows)


def kept_training(folder: Path) -> Trained | None:
    """The run whose files :func:`write_training` kept in a study's folder.

    Raises:
        MercuricError: a file is broken.
    """
    kept = sorted((folder / _KEPT).glob("*/"))
    return read_training(kept[0]) if kept else None


def write_training(trained: Trained | None, folder: Path) -> list[str]:
    """Keep the run's files in ``folder``, for the page, in place of another run's; write the tables that
    there are and return their files' names."""
    shutil.rmtree(folder / _KEPT, ignore_errors=True)
    if trained is None:
        return []
    kept = folder / _KEPT / trained.name
    kept.mkdir(parents=True)
    for name in _FILES:
        if (trained.folder / name).is_file():
            shutil.copyfile(trained.folder / name, kept / name)
    written = []
    if trained.summary is not None:
        write_text(folder / SCORES_FILE, scores(trained).to_csv(index=False))
        written.append(SCORES_FILE)
    if trained.adaptation is not None:
        write_text(folder / ADAPTATION_FILE, adaptation_steps(trained.adaptation).to_csv(index=False))
        written.append(ADAPTATION_FILE)
    return written


def _summary(path: Path) -> Summary:
    try:
        return parse_summary(read_json_object(path))
    except (ValueError, AttributeError) as error:
        raise MercuricError(f"{path} is broken: {' '.join(str(error).split())}") from error
