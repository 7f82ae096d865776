"""Does a network learn less with MERCURY, and what does that save? Dense and reuse, side by side."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

from mercuric.accelerator import CycleCounter, as_accelerator
from mercuric.accelerator.mcache_owner import in_runs_mcache
from mercuric.errors import MercuricError
from mercuric.files.writing import write_text
from mercuric.progress import Progress, named, silent
from mercuric.reuse import Alike, ReuseHandle, reuse_
from mercuric.reuse.judge.judge import Change
from mercuric.studies.resolved import resolved_data, resolved_hardware
from mercuric.studies.run_folder import alone, claim_folder
from mercuric.studies.train.config import RunConfig, RunName
from mercuric.studies.train.outcome import Outcome
from mercuric.studies.train.summary import summarize
from mercuric.subjects.lesson import Lesson, load_lesson
from mercuric.training import TrainingRun, full_batches
from mercuric.training.loop import FREE, Companion

COUNTED = ["vectors", "bits", "HIT", "MAU", "MNU", "zero", "zero_hits"]
"""Columns of a report that only layers which compare vectors have something to say in."""


@alone
def compare(
    config: RunConfig, folder: Path, resume: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Train every run and seed of ``config``; write the run's folder and return its summary.

    Args:
        config: what to train.
        folder: gets ``config.yaml``, ``metrics.jsonl``, ``events/``, ``checkpoints/``, ``layers.csv``,
            ``adaptation.csv`` and ``summary.json``.
        resume: go on with a run of the same configuration that was stopped or killed, or is finished;
            it may have more seeds, other epochs and another ``checkpoint_every``.
        progress: told after each step.

    Raises:
        MercuricError: the folder holds a run already (or, resuming, another one), data are missing,
            or the loss diverges.
        ValueError: the batch is larger than the training set, or the data do not fit the network.
        OSError: the folder can't be written.
    """
    lesson = lesson_of(config)
    _check_fit(config, lesson)
    claim(config, lesson, folder, resume)
    outcomes = [
        _train(config, run, seed, lesson, folder, resume, progress)
        for seed in config.seeds
        for run in config.runs
    ]
    reuse = [outcome for outcome in outcomes if outcome.run == "reuse"]
    if reuse:
        _write_table(folder / "layers.csv", {outcome.seed: outcome.layers for outcome in reuse})
    if reuse and isinstance(config.reuse, Alike) and config.reuse.adaptation is not None:
        _write_table(folder / "adaptation.csv", {outcome.seed: outcome.changes for outcome in reuse})
    return summarize(config, lesson, outcomes, folder)


def lesson_of(config: RunConfig) -> Lesson:
    """What is learned; raises as :func:`~mercuric.subjects.lesson.load_lesson` does."""
    return load_lesson(
        config, config.training, config.train_examples, config.test_sentences,
        vocabulary_size=config.vocabulary_size, max_words=config.max_words,
    )  # fmt: skip


def claim(config: RunConfig, lesson: Lesson, folder: Path, resume: bool) -> None:
    """Claim the folder of a run; raises as :func:`~mercuric.studies.run_folder.claim_folder` does."""
    _keep_seeds(config, folder, resume)
    resolved = {**resolved_hardware(as_accelerator(config.accelerator)), **resolved_data(lesson.data)}
    claim_folder(folder, config, resume, free=FREE | {"seeds"}, resolved=resolved)


def _keep_seeds(config: RunConfig, folder: Path, resume: bool) -> None:
    saved = folder / "config.yaml"
    if resume and saved.exists() and not set(before := RunConfig.read(saved).seeds) <= set(config.seeds):
        raise MercuricError(
            f"{folder} holds another run: seeds was {before}, now {config.seeds}; seeds can be added, but "
            "not left out"
        )


def _write_table(path: Path, seeds: dict[int, pd.DataFrame]) -> None:
    table = pd.concat([rows.assign(seed=seed) for seed, rows in seeds.items()], ignore_index=True)
    table.insert(0, "seed", table.pop("seed"))
    write_text(path, table.to_csv(index=False))


def _check_fit(config: RunConfig, lesson: Lesson) -> None:
    """Refuse what can't be trained before the folder is claimed, so that the mended command finds it free."""
    full_batches(len(lesson.task), config.training.batch_size)
    with torch.device("meta"):
        model = lesson.build()
        if "reuse" in config.runs:
            reuse_(model, config.reuse)


def _train(
    config: RunConfig,
    run: RunName,
    seed: int,
    lesson: Lesson,
    folder: Path,
    resume: bool,
    progress: Progress,
) -> Outcome:
    torch.manual_seed(seed)
    model = lesson.build()
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    if not isinstance(config.reuse, Alike):
        # What is compared is seconds, and dense is fastest so.
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    handle, counter = _with_reuse(config, model) if run == "reuse" else (None, None)
    training = TrainingRun(
        name=run, seed=seed, model=model, task=lesson.task, config=config.training, folder=folder,
        companions={} if handle is None else _companions(handle, counter),
        evaluating=None if handle is None else handle.uncounted,
        after_step=None if handle is None else handle.step,
        progress=named(progress, bar=f"{run}, seed {seed}"),
    )  # fmt: skip
    figures = training.fit(resume)
    score = f"test_{lesson.task.metric}"
    return Outcome(
        run, seed, figures[score], _evaluate_densely(handle, training, figures)[score], figures["seconds"],
        pd.DataFrame() if handle is None else _layers(handle, counter),
        _changes(handle),
    )  # fmt: skip


def _with_reuse(config: RunConfig, model: nn.Module) -> tuple[ReuseHandle, CycleCounter | None]:
    """The layers, and what counts their cycles; None for methods that no accelerator simulates."""
    if not isinstance(config.reuse, Alike):
        return reuse_(model, config.reuse), None
    counter = CycleCounter(in_runs_mcache(config.accelerator, config.reuse.cache))
    handle = reuse_(model, config.reuse, cost=counter)
    handle.switch_off_losing()
    handle.observe(counter.observe)
    return handle, counter


def _companions(handle: ReuseHandle, counter: CycleCounter | None) -> dict[str, Companion]:
    return {"directions": handle} if counter is None else {"similarity": handle, "cycles": counter}


def _layers(handle: ReuseHandle, counter: CycleCounter | None) -> pd.DataFrame:
    report = handle.report()
    if counter is None:
        return report.drop(columns=COUNTED)
    return report.merge(counter.layers(), on="layer")


def _changes(handle: ReuseHandle | None) -> pd.DataFrame:
    changes = [] if handle is None else handle.changes
    rows = [{**asdict(change), "layer": change.layer or ""} for change in changes]
    return pd.DataFrame(rows, columns=[column.name for column in fields(Change)])


def _evaluate_densely(
    handle: ReuseHandle | None, training: TrainingRun, figures: dict[str, float]
) -> dict[str, float]:
    if handle is None:
        return figures
    with handle.uncounted(), handle.off():
        return training.task.evaluate(training.model, training.config.batch_size)
