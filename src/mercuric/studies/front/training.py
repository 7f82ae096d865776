"""Does training with directions reach a better accuracy than dense training of the same seconds?"""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from math import ceil, nan
from pathlib import Path
from typing import Annotated, Any, Self

import pandas as pd
import torch
from pydantic import Field, model_validator

from mercuric.errors import ArgumentError
from mercuric.progress import Progress, silent
from mercuric.reuse import Directions, ReuseConfig, ReuseHandle, reuse_
from mercuric.reuse.report_sums import layers_in_directions
from mercuric.studies.bench.principal import rank_name
from mercuric.studies.bench.settings import Timing
from mercuric.studies.front.forms import DENSE, FAST
from mercuric.studies.resolved import resolved_data, resolved_networks
from mercuric.studies.run_folder import alone, claim_folder
from mercuric.subjects.config import DataConfig, ImageNetworkName
from mercuric.subjects.lesson import Lesson, load_lesson
from mercuric.training import TrainingConfig, TrainingRun
from mercuric.training.config import Positive
from mercuric.training.loop import Standing, full_batches

Show = Callable[[pd.DataFrame], None]
STEPS = 60
"""Of the longest training, where neither steps nor epochs are given."""


class FrontTraining(Timing, DataConfig):
    """What is trained, for how long.

    Attributes:
        network: its name.
        width: channels of each layer, times this.
        train_examples: the first so many of a fixed shuffle, as a run's configuration has it; all by default.
        steps: of the longest training; 60 by default, or those of all epochs.
        epochs: passes of the longest training over the examples, instead of ``steps``.
        batch: images a step.
        learning_rate: the one-cycle schedule's peak.
        augment: random crops and mirror images.
        shorter: lengths of dense trainings, as shares of the longest, each with its own whole schedule.
        ranks: directions of trainings with ``fast()``, as shares of a layer's filters.
        seeds: of weights and order, one after another.
        save_every: steps from one checkpoint of each training to the next, beside one an epoch.
    """

    network: ImageNetworkName = "vgg13"
    width: Annotated[float, Field(gt=0)] = 1.0
    train_examples: Positive | None = None
    steps: Annotated[int, Field(strict=True, ge=2)] | None = None
    epochs: Positive | None = None
    batch: Annotated[int, Field(strict=True, ge=2)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 0.02
    augment: bool = False
    shorter: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (0.25, 0.5, 0.75, 1.0)
    ranks: tuple[int | float, ...] = (1 / 8, 1 / 4, 1 / 2)
    seeds: tuple[Annotated[int, Field(strict=True, ge=0, lt=2**32)], ...] = (0,)
    save_every: Positive = 100

    @model_validator(mode="after")
    def _one_length_and_each_once(self) -> Self:
        if self.steps is not None and self.epochs is not None:
            raise ArgumentError(f"steps was {self.steps}, but must be None where epochs are given")
        for key in ("shorter", "ranks", "seeds"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ArgumentError(f"{key} was {list(values)}, but must name each once")
        if not self.seeds:
            raise ArgumentError("seeds was empty, but must hold at least one")
        return self

    def longest(self, examples: int) -> int:
        """Steps of the longest training on so many examples.

        Raises:
            ValueError: there are fewer than a batch.
        """
        per_epoch = full_batches(examples, self.batch)
        return self.epochs * per_epoch if self.epochs is not None else self.steps or STEPS


@dataclass
class _Turn:
    """One of the trainings that take turns.

    Attributes:
        row: what the table says of it.
        run: the training.
        handle: where it computes in directions.
        states: where it stands, step by step.
        standing: the last of these.
    """

    row: dict[str, Any]
    run: TrainingRun
    handle: ReuseHandle | None
    states: Generator[Standing, None, None]
    standing: Standing

    @property
    def done(self) -> bool:
        """Whether nothing is left to train."""
        return self.standing.step == self.run.total

    def step(self) -> None:
        """Train on the next batch."""
        self.standing = next(self.states)

    def result(self) -> dict[str, Any]:
        """The row, with seconds and accuracy."""
        figures = self.standing.figures
        kept = nan if self.handle is None else layers_in_directions(self.handle.report())
        return {
            **self.row, "steps": self.run.total, "seconds": self.standing.seconds,
            "accuracy": figures["test_accuracy"], "loss": figures["test_loss"], "kept": kept,
        }  # fmt: skip


@alone
def bench_front_training(
    config: FrontTraining, folder: Path, resume: bool = False, progress: Progress = silent,
    show: Show = lambda _: None,
) -> pd.DataFrame:  # fmt: skip
    """Train dense on schedules of several lengths and ``fast()`` on the longest, a step of each in turn.

    Seeds come one after another. A training that was killed goes on from its last checkpoint; one that
    is finished is not trained again, so that ``seeds`` can be added to a folder.

    Args:
        config: what to train.
        folder: gets ``config.yaml``, and a folder of metrics and checkpoints for each form.
        resume: go on with what the folder holds.
        progress: told after each round of steps.
        show: told the rows so far, after each seed.

    Returns:
        A row a training: ``group``, ``setting``, ``form``, ``seed``, ``steps``, ``seconds`` (measuring
        layers and estimating directions included), ``accuracy``, ``loss`` and ``kept``.

    Raises:
        ValueError: a number is out of range.
        MercuricError: data are missing, a training diverged, or the folder holds other trainings.
        OSError: the folder can't be written; what was saved before is kept.
    """
    network = config.subject(model=config.network, width=config.width)
    lesson = load_lesson(network, TrainingConfig(augment=config.augment), config.train_examples)
    longest = config.longest(len(lesson.task))
    free = frozenset({"seeds", "save_every"})
    resolved = {**resolved_data(lesson.data), **resolved_networks({config.network: lesson.opened})}
    claim_folder(folder, config, resume, free, resolved)
    rows: list[dict[str, Any]] = []
    for place, seed in enumerate(config.seeds):
        with ExitStack() as stack:
            turns = [
                _turn(config, lesson, seed, folder, resume, stack, *form) for form in _forms(config, longest)
            ]
            for step in _rounds(turns):
                progress(place * longest + step, len(config.seeds) * longest, f"seed {seed}")
        rows += [turn.result() for turn in turns]
        show(pd.DataFrame(rows))
    return pd.DataFrame(rows)


def described_training(config: FrontTraining) -> str:
    """Network, data and schedule, as titles name them."""
    seeds = "seed" if len(config.seeds) == 1 else "seeds"
    width = "" if config.width == 1 else f" at width {config.width:g}"
    examples = "" if config.train_examples is None else f"{config.train_examples:,} images of "
    usual = FrontTraining.model_fields["learning_rate"].default
    rate = "" if config.learning_rate == usual else f" at a learning rate of {config.learning_rate:g}"
    length = f"{config.steps or STEPS} steps" if config.epochs is None else f"{config.epochs} epochs"
    return (
        f"{config.network}{width} from random weights on {examples}{config.data}, {length} in batches of "
        f"{config.batch}{rate}, {len(config.seeds)} {seeds}"
    )


def _rounds(turns: list[_Turn]) -> Iterator[int]:
    """A step of each in turn; after a resumption those that were saved earlier catch up first."""
    while left := [turn for turn in turns if not turn.done]:
        step = min(turn.standing.step for turn in left)
        for turn in left:
            if turn.standing.step == step:
                turn.step()
        yield step + 1


_Form = tuple[str, str, str, int, ReuseConfig | None]
"""Group, setting, the name of its files, steps, and directions."""


def _forms(config: FrontTraining, longest: int) -> list[_Form]:
    dense: list[_Form] = [
        (DENSE, f"{share:.0%} of the steps", f"dense-{share:g}", max(1, round(share * longest)), None)
        for share in config.shorter
    ]
    return dense + [
        (FAST, rank_name(rank), f"fast-{rank:g}", longest, Directions.fast(rank)) for rank in config.ranks
    ]


def _turn(
    config: FrontTraining, lesson: Lesson, seed: int, folder: Path, resume: bool, stack: ExitStack,
    group: str, setting: str, name: str, steps: int, reuse: ReuseConfig | None,
) -> _Turn:  # fmt: skip
    torch.manual_seed(seed)
    model = lesson.build()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    handle = None if reuse is None else reuse_(model, reuse)
    epochs = ceil(steps / full_batches(len(lesson.task), config.batch))
    training = TrainingConfig(
        epochs=epochs, batch_size=config.batch, learning_rate=config.learning_rate, augment=config.augment,
        test_every=epochs, checkpoint_every=config.save_every,
    )  # fmt: skip
    run = TrainingRun(
        name=name, seed=seed, model=model, task=lesson.task, config=training, folder=folder / name,
        companions={} if handle is None else {"directions": handle},
        evaluating=None if handle is None else handle.uncounted,
        after_step=None if handle is None else handle.step,
        length=steps, clock=config.now, precision=config.autocast,
    )  # fmt: skip
    row = {"group": group, "setting": setting, "form": f"{group}, {setting}", "seed": seed}
    states = stack.enter_context(closing(run.steps(resume)))
    return _Turn(row, run, handle, states, next(states))
