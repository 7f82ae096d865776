"""Does training with reuse reach a better accuracy than dense training of the same seconds?"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
from pydantic import Field
from torch import Tensor, nn

from mercuric import data, zoo
from mercuric.data import ImageData
from mercuric.errors import MercuricError
from mercuric.experiments.bench_principal import rank_name
from mercuric.experiments.bench_settings import BenchSettings
from mercuric.experiments.front_forms import DENSE, FAST
from mercuric.reuse import ReuseConfig, ReuseHandle, reuse_
from mercuric.training import ClassificationTask, TrainingConfig
from mercuric.training.optimization import learning_rate, make_optimizer, seed_step

Tell = Callable[[int, int, str], None]


class FrontTraining(BenchSettings):
    """What is trained, for how long.

    Attributes:
        network: of the zoo.
        data: a data set of images.
        data_root: where its files lie.
        image_size: side of the images in pixels; the data set's own by default.
        steps: of the longest training.
        batch: images a step.
        learning_rate: the one-cycle schedule's peak.
        shorter: lengths of dense trainings, as shares of ``steps``, each with its own whole schedule.
        ranks: directions of trainings with ``fast()``, as shares of a layer's filters.
        seeds: of weights and order.
    """

    network: str = "vgg13"
    data: str = "photos"
    data_root: str | None = None
    image_size: Annotated[int, Field(strict=True, ge=1)] | None = None
    steps: Annotated[int, Field(strict=True, ge=2)] = 60
    batch: Annotated[int, Field(strict=True, ge=2)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 0.02
    shorter: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (0.25, 0.5, 0.75, 1.0)
    ranks: tuple[int | float, ...] = (1 / 8, 1 / 4, 1 / 2)
    seeds: tuple[int, ...] = (0,)


@dataclass
class _Training:
    """One training, a step at a time.

    Attributes:
        row: what the table says of it.
        model: channels_last.
        handle: where it reuses.
        task: what it learns.
        config: its schedule.
        steps: of the whole schedule.
        settings: precision and clock.
        seed: of the order.
    """

    row: dict[str, Any]
    model: nn.Module
    handle: ReuseHandle | None
    task: ClassificationTask
    config: TrainingConfig
    steps: int
    settings: BenchSettings
    seed: int
    done: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.optimizer = make_optimizer(self.model, self.config)

    def step(self) -> None:
        """Train on the next batch."""
        indices = self._indices()
        started = self.settings.now()
        seed_step(self.seed, self.done)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, self.done, self.steps)
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        with self.settings.autocast():
            loss = self.task.loss(self.model, indices, None)
        value = float(loss.detach())
        if not isfinite(value):
            raise MercuricError(
                f"the loss of {self.row['form']} became {value} at step {self.done + 1}; try a learning rate "
                f"under {self.config.learning_rate:g}",
                exit_code=1,
            )
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        if self.handle is not None:
            self.handle.step(value)
        self.seconds += self.settings.now() - started
        self.done += 1

    def result(self) -> dict[str, Any]:
        """The row, with seconds and accuracy."""
        tested = self.task.evaluate(self.model, self.config.batch_size)
        kept = nan if self.handle is None else int(self.handle.report()["on"].sum())
        return {
            **self.row, "steps": self.steps, "seconds": self.seconds, "accuracy": tested["test_accuracy"],
            "loss": tested["test_loss"], "kept": kept,
        }  # fmt: skip

    def _indices(self) -> Tensor:
        per_epoch = len(self.task) // self.config.batch_size
        epoch, place = divmod(self.done, per_epoch)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(len(self.task), generator=generator)
        return order[place * self.config.batch_size : (place + 1) * self.config.batch_size]


def bench_front_training(config: FrontTraining, tell: Tell = lambda *_: None) -> pd.DataFrame:
    """Train dense on schedules of several lengths and ``fast()`` on the longest, a step of each in turn.

    Returns:
        A row a training: ``group``, ``setting``, ``form``, ``seed``, ``steps``, ``seconds`` (measuring
        layers and estimating directions included), ``accuracy``, ``loss`` and ``kept``.

    Raises:
        ValueError: a number is out of range.
        MercuricError: data are missing, or a training diverged.
    """
    if not config.seeds:
        raise ValueError("seeds was empty, but must hold at least one")
    loaded = _loaded(config)
    trainings = [one for seed in config.seeds for one in _trainings(config, loaded, seed)]
    total = sum(training.steps for training in trainings) + len(trainings)
    done = 0
    for step in range(config.steps):
        for training in trainings:
            if step < training.steps:
                tell(done, total, training.row["form"])
                training.step()
                done += 1
    rows = []
    for training in trainings:
        tell(done, total, f"testing {training.row['form']}")
        rows.append(training.result())
        done += 1
    tell(total, total, "")
    return pd.DataFrame(rows)


def described_training(config: FrontTraining) -> str:
    """Network, data and schedule, as titles name them."""
    seeds = "seed" if len(config.seeds) == 1 else "seeds"
    return (
        f"{config.network} from random weights on {config.data}, {config.steps} steps of {config.batch}, "
        f"{len(config.seeds)} {seeds}"
    )


def _loaded(config: FrontTraining) -> ImageData:
    if config.network not in zoo.names():
        raise ValueError(f"network was {config.network!r}, but must be one of {', '.join(zoo.names())}")
    root = None if config.data_root is None else Path(config.data_root)
    loaded = data.load_images(config.data, root, config.image_size)
    if config.batch > len(loaded.train):
        raise ValueError(
            f"batch was {config.batch}, but must be at most the {len(loaded.train)} images of {config.data}"
        )
    return loaded


def _trainings(config: FrontTraining, loaded: ImageData, seed: int) -> list[_Training]:
    lengths = [(DENSE, f"{share:.0%} of the steps", share, None) for share in config.shorter]
    faster = [(FAST, rank_name(rank), 1.0, ReuseConfig.fast(rank)) for rank in config.ranks]
    return [_training(config, loaded, seed, *chosen) for chosen in [*lengths, *faster]]


def _training(
    config: FrontTraining, loaded: ImageData, seed: int, group: str, setting: str, share: float,
    reuse: ReuseConfig | None,
) -> _Training:  # fmt: skip
    torch.manual_seed(seed)
    model = zoo.build(config.network, len(loaded.classes), loaded.channels, loaded.image_size)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    handle = None if reuse is None else reuse_(model, reuse)
    training = TrainingConfig(batch_size=config.batch, learning_rate=config.learning_rate)
    row = {"group": group, "setting": setting, "form": f"{group}, {setting}", "seed": seed}
    steps = max(1, round(share * config.steps))
    return _Training(row, model, handle, ClassificationTask(loaded), training, steps, config, seed)
