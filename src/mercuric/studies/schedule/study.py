"""Which form is the most accurate at a share of dense's seconds? Timed, tuned and trained, form by form."""

from collections.abc import Callable
from concurrent.futures import as_completed
from dataclasses import dataclass, field
from pathlib import Path

from mercuric.errors import ArgumentError, MercuricError
from mercuric.progress import Progress, silent
from mercuric.studies.machine import machine
from mercuric.studies.optuna_sampler import load_optuna
from mercuric.studies.resolved import resolved_data
from mercuric.studies.run_folder import alone, claim_folder
from mercuric.studies.schedule.config import ScheduleConfig
from mercuric.studies.schedule.forms import DENSE, FORMS
from mercuric.studies.schedule.outcome import Outcome
from mercuric.studies.schedule.pace import Pace
from mercuric.studies.schedule.tuning import Tuning
from mercuric.studies.schedule.workbench import Workbench
from mercuric.studies.workers import HERE, Workers
from mercuric.subjects.lesson import Lesson, load_lesson
from mercuric.training import TrainingConfig, full_batches

FREE = frozenset({"forms", "shares", "seeds"})
"""What may be added to a folder."""


@dataclass
class Found:
    """What was timed, tuned and trained so far.

    Attributes:
        seconds: of dense's whole schedule, by the clock that counts.
        classes: of the data.
        examples: that were trained on.
        paces: of each form, in the table's order.
        tunings: of each form that the network can take.
        outcomes: of the trainings.
    """

    seconds: float
    classes: int
    examples: int
    paces: dict[str, Pace] = field(default_factory=dict)
    tunings: dict[str, Tuning] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def left_out(self) -> dict[str, str]:
        """What was not trained, a form or a form at a share, to the sentence that says why."""
        why = {FORMS[name].shown: pace.refused for name, pace in self.paces.items() if pace.refused}
        for name, tuning in self.tunings.items():
            if tuning.best is None:
                short = [trial.too_short for trial in tuning.trials if trial.too_short]
                why[FORMS[name].shown] = short[0] if short else "each of its trials diverged"
        for one in self.outcomes:
            if one.too_short:
                why[f"{FORMS[one.form].shown}, {100 * one.share:g} %"] = one.too_short
        return why


@alone
def bench_schedule(
    config: ScheduleConfig, folder: Path, resume: bool = False, progress: Progress = silent,
    show: Callable[[Found], object] = lambda _: None, workers: Workers = HERE,
) -> Found:  # fmt: skip
    """Time every form's steps beside dense's, tune each by the same few trials, and train each for each share
    of dense's seconds and each seed.

    Args:
        config: what to train.
        folder: gets ``config.yaml``, and a JSON file for each form's pace and tuning and for each training.
        resume: go on with what the folder holds; forms, shares and seeds may be added.
        progress: told timings, trials and trainings done, and how far each one is.
        show: told what was found so far, after the tuning and after each seed.
        workers: who trains; what is timed or tuned runs here, alone.

    Raises:
        ValueError: a number is out of range, or dense's seconds hold no step.
        MercuricError: Optuna is not installed, data are missing, or the folder holds another study.
        OSError: the folder can't be written; what was saved before is kept.
    """
    load_optuna()
    lesson = _lesson(config)
    full_batches(len(lesson.task), max(config.batches))
    claim_folder(folder, config, resume, FREE, {**resolved_data(lesson.data), "machine": machine()})
    bench = Workbench(config, folder, lesson, progress)
    count = _Counted(config, progress)
    forms = [name for name in FORMS if name in config.forms]
    count.tell(f"timing {DENSE}")
    found = Found(_seconds(bench), len(lesson.image_data.classes), len(bench.places))
    for name in forms:
        found.paces[name] = bench.pace(name)
        count.done(1, f"timed {name}")
    for name, pace in found.paces.items():
        if not pace.refused:
            found.tunings[name] = bench.tuning(pace, found.seconds)
        count.done(config.trials, f"tuned {name}")
    show(found)
    if not workers.here:
        _train_apart(bench, found, workers, lambda ended: count.tell(f"{ended} trained"))
    for seed in config.seeds:
        for share in config.shares:
            for name, tuning in found.tunings.items():
                count.tell(f"{name}, {share:.0%} of the seconds, seed {seed}")
                if tuning.best is not None:
                    pace = found.paces[name]
                    found.outcomes.append(bench.outcome(pace, tuning.best, share, seed, found.seconds))
                count.done(1)
        show(found)
    return found


def _lesson(config: ScheduleConfig) -> Lesson:
    training = TrainingConfig(augment=config.augment)
    return load_lesson(config.subject(model=config.network), training, config.train_examples)


def _train_apart(bench: Workbench, found: Found, workers: Workers, tell: Callable[[str], object]) -> None:
    """Let workers do the trainings that the folder lacks."""
    config = bench.config
    missing = [
        (name, share, seed)
        for seed in config.seeds
        for share in config.shares
        for name, tuning in found.tunings.items()
        if tuning.best is not None and not bench.outcome_file(name, share, seed).exists()
    ]
    if not missing:
        return
    with workers.pool(bench.folder) as (pool, at_once):
        together = min(at_once, len(missing))
        trainings = [
            pool.submit(train_one, config, bench.folder, name, share, seed, found.seconds, together)
            for name, share, seed in missing
        ]
        for ended, training in enumerate(as_completed(trainings), start=1):
            training.result()
            tell(f"{ended} of {len(missing)}, {together} at a time,")


def train_one(
    config: ScheduleConfig, folder: Path, form: str, share: float, seed: int, seconds: float, at_once: int
) -> None:
    """Train a form that was timed and tuned, and leave what came of it in the folder.

    Args:
        config: of the study.
        folder: of the study.
        form: its name.
        share: of dense's seconds.
        seed: of weights and order.
        seconds: of dense's whole schedule.
        at_once: trainings that share machines.

    Raises:
        MercuricError: the form was not tuned.
    """
    bench = Workbench(config, folder, _lesson(config), silent, at_once)
    pace = bench.pace(form)
    best = bench.tuning(pace, seconds).best
    if best is None:
        raise MercuricError(f"{form} has no tuning in {folder}")
    bench.outcome(pace, best, share, seed, seconds)


def _seconds(bench: Workbench) -> float:
    """Of dense's whole schedule."""
    config = bench.config
    step = bench.stopwatch.dense.step(config.batch, 0)
    assert step is not None  # noqa: S101 - the batch is one of those that were timed
    whole = config.seconds or (config.epochs or 1) * full_batches(len(bench.places), config.batch) * step
    if whole * max(config.shares) < step:
        raise ArgumentError(
            f"seconds was {whole:.3g}, but must hold a step of dense training, which takes {step:.3g} s"
        )
    return whole


class _Counted:
    """Timings, trials and trainings done, of all."""

    def __init__(self, config: ScheduleConfig, progress: Progress) -> None:
        self._done, self._progress = 0, progress
        self._total = len(config.forms) * (1 + config.trials + len(config.shares) * len(config.seeds))

    def tell(self, what: str) -> None:
        self._progress(self._done, self._total, what)

    def done(self, more: int, what: str = "") -> None:
        self._done += more
        self.tell(what)
