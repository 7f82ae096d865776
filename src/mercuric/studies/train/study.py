"""Does a network learn less with reuse, and what does that save? Dense and reuse, side by side."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from mercuric.accelerator import as_accelerator
from mercuric.errors import MercuricError
from mercuric.files.writing import write_text
from mercuric.progress import Progress, named, silent
from mercuric.reuse import Alike, reuse_
from mercuric.reuse.judge.judge import Change
from mercuric.studies.resolved import resolved_data, resolved_hardware, resolved_networks
from mercuric.studies.run_folder import alone, claim_folder
from mercuric.studies.train.config import LAYERS, RunConfig, RunName
from mercuric.studies.train.outcome import Outcome
from mercuric.studies.train.summary import summarize
from mercuric.studies.train.ways.known import way_of
from mercuric.studies.train.ways.way import Attached
from mercuric.subjects.lesson import Lesson, load_lesson
from mercuric.subjects.network import without_values
from mercuric.training import TrainingRun, full_batches
from mercuric.training.loop import FREE, Standing


@alone
def compare(
    config: RunConfig, folder: Path, resume: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Train every run and seed of ``config``; write the run's folder and return its summary.

    Args:
        config: what to train.
        folder: gets ``config.yaml``, ``metrics.jsonl``, ``events/``, ``checkpoints/``, ``layers.csv``,
            ``adaptation.csv``, ``mercury.csv`` and ``summary.json``.
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
        outcome
        for seed in config.seeds
        for runs in rounds(config)
        for outcome in _train(config, runs, seed, lesson, folder, resume, progress)
    ]
    for run, method in config.methods.items():
        own = [outcome for outcome in outcomes if outcome.run == run]
        _write_table(folder / LAYERS[run], {outcome.seed: outcome.layers for outcome in own})
        if isinstance(method, Alike) and method.adaptation is not None:
            _write_table(folder / "adaptation.csv", {outcome.seed: outcome.changes for outcome in own})
    return summarize(config, lesson, outcomes, folder)


def rounds(config: RunConfig) -> list[tuple[RunName, ...]]:
    """The runs of a seed, one round of them after another; those of a round take turns.

    Dense training takes turns with the methods whose seconds are held against its own.
    """
    together = tuple(run for run in config.runs if _is_timed(config, run))
    alone: list[tuple[RunName, ...]] = [(run,) for run in config.runs if run not in together]
    return [together, *alone] if together else alone


def _is_timed(config: RunConfig, run: RunName) -> bool:
    """Whether a run's seconds are compared."""
    method = config.method(run)
    methods = config.methods.values() if method is None else [method]
    return any(way_of(one).in_seconds for one in methods)


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
    resolved |= resolved_networks({config.model: lesson.opened})
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
    for method in config.methods.values():
        way_of(method)
        with without_values(config.model):
            reuse_(lesson.build(), method)


@dataclass
class _Training:
    """A training that takes turns with others.

    Attributes:
        run: the training.
        attached: what its network computes by; None: densely.
        states: where it stands, step by step.
        standing: the last of these.
    """

    run: TrainingRun
    attached: Attached | None
    states: Generator[Standing, None, None]
    standing: Standing

    def outcome(self, name: RunName, seed: int) -> Outcome:
        """What came out of it."""
        score = f"test_{self.run.task.metric}"
        figures = self.standing.figures
        without = self._evaluate_densely()
        return Outcome(
            name, seed, figures[score], without[score], self.standing.seconds,
            pd.DataFrame() if self.attached is None else self.attached.layers(),
            _changes(self.attached),
        )  # fmt: skip

    def _evaluate_densely(self) -> dict[str, float]:
        if self.attached is None:
            return self.standing.figures
        with self.attached.handle.uncounted(), self.attached.handle.off():
            return self.run.task.evaluate(self.run.model, self.run.config.batch_size)


def _train(
    config: RunConfig,
    runs: Sequence[RunName],
    seed: int,
    lesson: Lesson,
    folder: Path,
    resume: bool,
    progress: Progress,
) -> list[Outcome]:
    """Train a step of each run in turn; where they go on, those that were saved earlier catch up first."""
    with ExitStack() as stack:
        trainings = [_begin(config, run, seed, lesson, folder, resume, progress, stack) for run in runs]
        while left := [one for one in trainings if one.standing.step < one.run.total]:
            step = min(one.standing.step for one in left)
            for one in left:
                if one.standing.step == step:
                    one.standing = next(one.states)
    return [one.outcome(run, seed) for run, one in zip(runs, trainings, strict=True)]


def _begin(
    config: RunConfig,
    run: RunName,
    seed: int,
    lesson: Lesson,
    folder: Path,
    resume: bool,
    progress: Progress,
    stack: ExitStack,
) -> _Training:
    torch.manual_seed(seed)
    model = lesson.build()
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    if _is_timed(config, run):
        # What is compared is seconds, and dense is fastest so.
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    method = config.method(run)
    attached = None if method is None else way_of(method).attach(model, method, config.accelerator)
    handle = None if attached is None else attached.handle
    training = TrainingRun(
        name=run, seed=seed, model=model, task=lesson.task, config=config.training, folder=folder,
        companions={} if attached is None else attached.companions,
        evaluating=None if handle is None else handle.uncounted,
        after_step=None if handle is None else handle.step,
        progress=named(progress, bar=f"{run}, seed {seed}"),
    )  # fmt: skip
    states = stack.enter_context(closing(training.steps(resume)))
    return _Training(training, attached, states, next(states))


def _changes(attached: Attached | None) -> pd.DataFrame:
    changes = [] if attached is None else attached.handle.changes
    rows = [{**asdict(change), "layer": change.layer or ""} for change in changes]
    return pd.DataFrame(rows, columns=[column.name for column in fields(Change)])
