"""How does a network learn a task? One loop for every network and every experiment."""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from math import ceil, isfinite
from pathlib import Path
from typing import Annotated, Any, Protocol

import torch
from pydantic import Field
from torch import Tensor, nn

from mercuric.config import differences
from mercuric.errors import ArgumentError, Diverged, MercuricError
from mercuric.progress import Progress, silent
from mercuric.reuse.distributed import require_same
from mercuric.saved_state import Figure, Finite, SavedState, Whole
from mercuric.training.checkpoint import load_checkpoint, save_checkpoint
from mercuric.training.config import TrainingConfig
from mercuric.training.metrics import MetricsLog, read_lines
from mercuric.training.optimization import learning_rate, make_optimizer, seed_step
from mercuric.training.ranks import backward, rank, require_shares, same_everywhere, share
from mercuric.training.task import Task
from mercuric.version import __version__

FREE = frozenset({"training.epochs", "training.checkpoint_every"})
"""Settings that may change where a run goes on: they decide how far it goes, and what a kill costs."""


class RunState(SavedState):
    """Where a saved run stands, beside its weights and its optimizer.

    Attributes:
        step: steps done.
        seconds: of training so far.
        losses: of the steps since the last test.
        last: figures of the last test; empty before the first one.
        settings: what must be the same where it goes on.
        companions: name to state.
    """

    step: Whole
    seconds: Annotated[Finite, Field(ge=0)]
    losses: list[Finite]
    last: dict[str, Figure]
    settings: dict[str, Any]
    companions: dict[str, dict[str, Any]]


class Companion(Protocol):
    """What is counted beside a training run, and must be saved with it."""

    def state_dict(self) -> dict[str, Any]:
        """A state of what JSON can hold, and tensors."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""


@dataclass(frozen=True)
class Standing:
    """Where a training stands.

    Attributes:
        step: steps done.
        seconds: that training took so far, without tests.
        figures: of the last test; empty before the first one.
    """

    step: int
    seconds: float
    figures: dict[str, float]


@dataclass(frozen=True)
class TrainingRun:
    """One network, trained once.

    Attributes:
        name: as ``"dense"`` or ``"reuse"``; with the seed it names files and metrics.
        seed: of data order, augmentation and dropout (the caller seeds the weights).
        model: trained in place.
        task: what it learns.
        config: how.
        folder: the run's folder.
        companions: saved and resumed with the run.
        evaluating: a context for evaluations (a reuse run stops counting there).
        after_step: called with the step's loss after the optimizer's step; its time is training time.
        progress: told after each step.
        length: steps of the whole training, which ends with a test; by default those of all epochs.
        clock: what training time is read from, in seconds.
        precision: a context for the forward pass, as of autocast.
    """

    name: str
    seed: int
    model: nn.Module
    task: Task
    config: TrainingConfig
    folder: Path
    companions: Mapping[str, Companion] = field(default_factory=dict)
    evaluating: Callable[[], Any] | None = None
    after_step: Callable[[float], object] | None = None
    progress: Progress = silent
    length: int | None = None
    clock: Callable[[], float] = time.perf_counter
    precision: Callable[[], AbstractContextManager[object]] = nullcontext

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
        return full_batches(len(self.task), self.config.batch_size)

    @property
    def total(self) -> int:
        """Steps of the whole training."""
        return self.length or self.steps_per_epoch * self.config.epochs

    def fit(self, resume: bool = False) -> dict[str, float]:
        """Train to the end; returns the last test's figures and the training seconds.

        Args and Raises: see :meth:`steps`.
        """
        (last,) = deque(self.steps(resume), maxlen=1)
        return {**last.figures, "seconds": last.seconds}

    def steps(self, resume: bool = False) -> Generator[Standing, None, None]:
        """Train a step at a time, so that several trainings can take turns.

        Args:
            resume: go on from the checkpoint, where there is one; a run killed at any moment goes
                on to the same final weights.

        Yields:
            Where it stands, before the first step and after each one.

        Raises:
            Diverged: the loss is no longer finite, or was so before in the same training.
            MercuricError: the checkpoint or ``metrics.jsonl`` does not fit, or is broken.
            OSError: the folder can't be written; checkpoints written before are still there.
        """
        require_shares(self.config.batch_size)
        optimizer = make_optimizer(self.model, self.config)
        state: dict[str, Any] = {"step": 0, "seconds": 0.0, "losses": [], "last": {}}
        if resume:
            self._refuse_diverged()
        if resume and self.checkpoint.exists():
            state = self._resume(optimizer)
        require_same({"mercuric": __version__, "steps done": state["step"], **self._settings()})
        same_everywhere(self.model)
        with MetricsLog(self.folder, self.name, self.seed, state["step"]) as log:
            yield _standing(state)
            for epoch, indices in self._batches(state["step"]):
                started = self.clock()
                rate = learning_rate(self.config, state["step"], self.total)
                loss = self._step(optimizer, indices, state["step"], rate)
                if not isfinite(loss):
                    log.diverged(epoch, state["step"] + 1, self.total, state["seconds"])
                    raise self._diverged(f"became {loss}", state["step"] + 1)
                state["seconds"] += self.clock() - started
                state["step"] += 1
                state["losses"].append(loss)
                log.step(epoch, state["step"], loss, rate, state["seconds"])
                self.progress(state["step"], self.total, f"loss {loss:.3f}")
                done = state["step"] == self.total
                epoch_done = done or state["step"] % self.steps_per_epoch == 0
                if done or (epoch_done and (epoch + 1) % self.config.test_every == 0):
                    state["last"] = self._finish_epoch(state["losses"])
                    state["losses"] = []
                    log.epoch(epoch, state["step"], state["last"], state["seconds"])
                if epoch_done or state["step"] % self.config.checkpoint_every == 0:
                    self._save(optimizer, state)
                yield _standing(state)

    def _batches(self, first: int) -> Iterator[tuple[int, Tensor]]:
        """The epoch and the examples of step ``first`` and of each later one."""
        per_epoch = self.steps_per_epoch
        for epoch in range(first // per_epoch, ceil(self.total / per_epoch)):
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            order = torch.randperm(len(self.task), generator=generator)
            batches = torch.split(order, self.config.batch_size)
            start = epoch * per_epoch
            for batch in batches[max(0, first - start) : min(per_epoch, self.total - start)]:
                yield epoch, batch

    def _step(self, optimizer: torch.optim.Optimizer, indices: Tensor, step: int, rate: float) -> float:
        generator = seed_step(self.seed, step, rank())
        for group in optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        optimizer.zero_grad(set_to_none=True)
        mine = share(indices)
        with self.precision():
            loss = self.task.loss(self.model, mine, generator)
        value = backward(self.model, loss, lambda: self.task.weight(mine))
        if not isfinite(value):
            return value
        if self.config.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        optimizer.step()
        if self.after_step:
            self.after_step(value)
        return value

    def _finish_epoch(self, losses: list[float]) -> dict[str, float]:
        same_everywhere(self.model)  # running statistics are each rank's own
        with self.evaluating() if self.evaluating else nullcontext():
            tested = self.task.evaluate(self.model, self.config.batch_size)
        return {"train_loss": sum(losses) / len(losses), **tested}

    def _save(self, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        if rank() > 0:
            return
        beside = {name: companion.state_dict() for name, companion in self.companions.items()}
        whole = RunState(**state, settings=self._settings(), companions=beside)
        save_checkpoint(self.checkpoint, self.model, optimizer, whole.plain())

    def _resume(self, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        state = load_checkpoint(self.checkpoint, self.model, optimizer, self._check)
        saved = RunState.of(state, "its state")
        for name, companion in self.companions.items():
            try:
                companion.load_state_dict(saved.companions[name])
            except ValueError as error:
                raise MercuricError(f"the checkpoint {self.checkpoint} does not fit: {error}") from None
        return saved.model_dump(exclude={"settings", "companions"})

    def _check(self, state: dict[str, Any]) -> None:
        if "settings" not in state:
            raise MercuricError(
                f"the checkpoint {self.checkpoint} holds no settings; remove it to start over"
            )
        try:
            saved = RunState.of(state, "its state")
        except ValueError as error:
            raise MercuricError(f"the checkpoint {self.checkpoint} does not fit: {error}") from None
        if changes := differences(saved.settings, self._settings(), FREE):
            raise MercuricError(f"the checkpoint {self.checkpoint} is of another run: {changes}")
        if saved.step > self.total or (saved.step == self.total and not saved.last):
            raise MercuricError(
                f"the checkpoint {self.checkpoint} holds {saved.step} steps, but {self.config.epochs} epochs "
                f"have {self.total}; give more epochs"
            )
        if missing := self.companions.keys() - saved.companions.keys():
            raise MercuricError(
                f"the checkpoint {self.checkpoint} does not fit: it lacks {', '.join(sorted(missing))}"
            )

    def _refuse_diverged(self) -> None:
        for line in read_lines(self.folder / "metrics.jsonl"):
            same = (line.event, line.run, line.seed) == ("diverged", self.name, self.seed)
            if same and line.figures.get("total") == self.total:
                raise self._diverged("was not finite", line.step, "going on would give it again; ")

    def _diverged(self, what: str, step: int, why: str = "") -> Diverged:
        return Diverged(
            f"the loss of the {self.name} run with seed {self.seed} {what} at step {step}; {why}"
            f"try a learning_rate under {self.config.learning_rate:g}"
        )

    def _settings(self) -> dict[str, Any]:
        """What must be the same where a run goes on, as JSON gives it back."""
        return {
            "training": self.config.model_dump(mode="json"),
            "training_examples": len(self.task),
            "metric": self.task.metric,
            "companions": sorted(self.companions),
            **({} if self.length is None else {"steps": self.length}),
        }


def _standing(state: dict[str, Any]) -> Standing:
    return Standing(state["step"], state["seconds"], state["last"])


def full_batches(examples: int, batch_size: int) -> int:
    """How many full batches there are in an epoch.

    Raises:
        ValueError: not even one.
    """
    if batch_size > examples:
        raise ArgumentError(
            f"batch_size was {batch_size}, but must be at most the {examples} training examples"
        )
    return examples // batch_size
