"""The training loop: one for every network and for every experiment."""

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.data import ImageData, Split
from mercuric.errors import MercuricError
from mercuric.training.checkpoint import load_checkpoint, save_checkpoint
from mercuric.training.config import TrainingConfig
from mercuric.training.metrics import MetricsLog
from mercuric.training.optimization import learning_rate, make_optimizer, seed_step

Progress = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and what is going on."""


class Companion(Protocol):
    """What is counted beside a training run, and must be saved with it."""

    def state_dict(self) -> dict[str, Any]:
        """A JSON-able state."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""


@dataclass(frozen=True)
class TrainingRun:
    """One network, trained once.

    Attributes:
        name: ``"dense"`` or ``"reuse"``; with the seed it names files and metrics.
        seed: of data order, augmentation and dropout (the caller seeds the weights).
        model: trained in place.
        data: what it is trained and tested on.
        config: how.
        folder: the run's folder.
        companions: saved and resumed with the run.
        evaluating: a context for evaluations (a reuse run stops counting there).
        progress: told after each step.
    """

    name: str
    seed: int
    model: nn.Module
    data: ImageData
    config: TrainingConfig
    folder: Path
    companions: Mapping[str, Companion] = field(default_factory=dict)
    evaluating: Callable[[], Any] | None = None
    progress: Progress | None = None

    @property
    def checkpoint(self) -> Path:
        """Where the run is saved."""
        return self.folder / "checkpoints" / f"{self.name}-{self.seed}.safetensors"

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in an epoch.

        Raises:
            ValueError: a batch is larger than the training set.
        """
        return full_batches(len(self.data.train), self.config.batch_size)

    def fit(self, resume: bool = False) -> dict[str, float]:
        """Train to the last epoch; returns the last epoch's figures and the training seconds.

        Args:
            resume: go on from the checkpoint, where there is one; a run killed at any moment goes
                on to the same final weights.

        Raises:
            MercuricError: the loss is no longer finite, or the checkpoint does not fit.
            OSError: the folder can't be written; checkpoints written before are still there.
        """
        optimizer = make_optimizer(self.model, self.config)
        state: dict[str, Any] = {"step": 0, "seconds": 0.0, "losses": [], "last": {}}
        if resume and self.checkpoint.exists():
            state = self._resume(optimizer)
        per_epoch = self.steps_per_epoch
        total = per_epoch * self.config.epochs
        with MetricsLog(self.folder, self.name, self.seed, state["step"]) as log:
            while state["step"] < total:
                step = state["step"]
                started = time.perf_counter()
                rate = learning_rate(self.config, step, total)
                loss = self._step(optimizer, step, rate)
                state["seconds"] += time.perf_counter() - started
                state["step"] = step + 1
                state["losses"].append(loss)
                epoch = step // per_epoch
                log.step(epoch, step + 1, loss, rate, state["seconds"])
                if self.progress:
                    self.progress(step + 1, total, f"loss {loss:.3f}")
                epoch_done = (step + 1) % per_epoch == 0
                if epoch_done:
                    state["last"] = self._finish_epoch(state["losses"])
                    state["losses"] = []
                    log.epoch(epoch, step + 1, state["last"], state["seconds"])
                if epoch_done or (step + 1) % self.config.checkpoint_every == 0:
                    self._save(optimizer, state)
        return {**state["last"], "seconds": state["seconds"]}

    def _step(self, optimizer: torch.optim.Optimizer, step: int, rate: float) -> float:
        generator = seed_step(self.seed, step)
        images, labels = self.data.train.batch(self._order(step), generator if self.config.augment else None)
        device = next(self.model.parameters()).device
        for group in optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        optimizer.zero_grad(set_to_none=True)
        output = self.model(images.to(device))
        loss = F.cross_entropy(output, labels.to(device), label_smoothing=self.config.label_smoothing)
        value = float(loss.detach())
        if not isfinite(value):
            raise MercuricError(
                f"the loss of the {self.name} run with seed {self.seed} became {value} at step {step + 1}; "
                f"try a learning_rate under {self.config.learning_rate:g}",
                exit_code=1,
            )
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return value

    def _order(self, step: int) -> Tensor:
        epoch, position = divmod(step, self.steps_per_epoch)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(len(self.data.train), generator=generator)
        return order[position * self.config.batch_size :][: self.config.batch_size]

    def _finish_epoch(self, losses: list[float]) -> dict[str, float]:
        with self.evaluating() if self.evaluating else nullcontext():
            test_loss, accuracy = evaluate(self.model, self.data.test, self.config.batch_size)
        return {"train_loss": sum(losses) / len(losses), "test_loss": test_loss, "test_accuracy": accuracy}

    def _save(self, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        beside = {name: companion.state_dict() for name, companion in self.companions.items()}
        save_checkpoint(self.checkpoint, self.model, optimizer, {**state, "companions": beside})

    def _resume(self, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        state = load_checkpoint(self.checkpoint, self.model, optimizer)
        beside = state.pop("companions")
        for name, companion in self.companions.items():
            companion.load_state_dict(beside[name])
        return state


def full_batches(images: int, batch_size: int) -> int:
    """How many full batches there are in an epoch.

    Raises:
        ValueError: not even one.
    """
    if batch_size > images:
        raise ValueError(f"batch_size was {batch_size}, but must be at most the {images} training images")
    return images // batch_size


def evaluate(model: nn.Module, split: Split, batch_size: int) -> tuple[float, float]:
    """Mean cross entropy and accuracy over a split, in evaluation mode."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    loss, right = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(split), batch_size):
            indices = torch.arange(start, min(start + batch_size, len(split)))
            images, labels = split.batch(indices)
            output = model(images.to(device)).cpu()
            loss += float(F.cross_entropy(output, labels, reduction="sum"))
            right += int((output.argmax(1) == labels).sum())
    model.train(was_training)
    return loss / len(split), right / len(split)
