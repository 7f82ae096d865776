"""How is one network trained in a form until its seconds are spent?"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from math import isfinite

import torch
from torch import Tensor

from mercuric.errors import MercuricError
from mercuric.progress import Progress, silent
from mercuric.studies.schedule.pace import ClockName, Pace
from mercuric.studies.schedule.stopwatch import Stopwatch
from mercuric.studies.schedule.trainee import Trainee

PARTS = 1000
"""Of a training, as progress counts them."""


class TooShort(MercuricError):  # noqa: N818 - what the seconds are, as Diverged
    """Seconds that don't hold a step; its sentence says how long one is."""


@dataclass
class Spent:
    """What a training took.

    Attributes:
        steps: done.
        planned: seconds by which its schedule goes: steps as long as they were beside dense's, and what
            looking around and changing the network took.
        wall: seconds of the wall's clock.
        cpu: seconds of the processor, all threads'.
    """

    steps: int = 0
    planned: float = 0.0
    wall: float = 0.0
    cpu: float = 0.0

    def by(self, clock: ClockName) -> float:
        """Seconds by that clock."""
        return self.cpu if clock == "cpu" else self.wall

    @contextmanager
    def watched(self) -> Iterator[None]:
        """What is done in the block counts by both clocks."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu


@dataclass
class TimedTraining:
    """A training that fills so many seconds.

    Attributes:
        trainee: the network.
        pace: seconds of its steps.
        stopwatch: for stages that nobody could time beforehand.
        seconds: that it fills.
        progress: told after each step.
        spent: so far.
        diverged: the step whose loss was no longer finite, counted from 1; None.
    """

    trainee: Trainee
    pace: Pace
    stopwatch: Stopwatch
    seconds: float
    progress: Progress = silent
    spent: Spent = field(default_factory=Spent)
    diverged: int | None = None

    def run(self) -> None:
        """Train until the seconds are spent, or the loss is no longer finite.

        Raises:
            TooShort: the seconds don't hold a step.
        """
        batch = self.trainee.recipe.batch
        step = self.pace.step(batch, 0)
        if step is None or step > self.seconds:
            longer = "" if step is None else f" ({step:.3g} s, {batch} images)"
            raise TooShort(f"{self.seconds:.3g} s are shorter than a step{longer}")
        self._enter(0)
        for examples in self._batches():
            step = self._stages_begun(step)
            if self.spent.planned + step / 2 > self.seconds:
                return
            if not isfinite(self._learned(examples, step)):
                self.diverged = self.spent.steps
                return

    @property
    def done(self) -> float:
        """The share of the seconds that is spent."""
        return min(1.0, self.spent.planned / self.seconds)

    def _learned(self, examples: Tensor, step: float) -> float:
        rate = self.trainee.rate(self.done, self.seconds / step)
        before = self.spent.by(self.pace.clock)
        with self.spent.watched():
            loss = self.trainee.step(examples, rate)
        took = self.spent.by(self.pace.clock) - before
        self.spent.planned += took if self.spent.steps < self.trainee.looks else step
        self.spent.steps += 1
        self.progress(round(PARTS * self.done), PARTS, f"loss {loss:.3f}", "training")
        return loss

    def _stages_begun(self, step: float) -> float:
        """Enter the stages that are due; returns the seconds of a step afterwards."""
        while self.trainee.stage + 1 < len(self.pace.stages):
            if not self._due():
                return step
            self._enter(self.trainee.stage + 1)
            step = self._step()
        return step

    def _enter(self, stage: int) -> None:
        """Begin a stage: what that takes counts, compiling doesn't."""
        self.trainee.enter(stage, self._counted() if self.trainee.learner.works else None)
        self.trainee.warm_up()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """What is done in the block is spent as it is taken."""
        before = self.spent.by(self.pace.clock)
        with self.spent.watched():
            yield
        self.spent.planned += self.spent.by(self.pace.clock) - before

    def _due(self) -> bool:
        end = self.pace.end(self.trainee.recipe.batch, self.trainee.stage)
        if end is not None:
            return self.done >= end
        with self._counted():
            return self.trainee.learner.due(self.done)

    def _step(self) -> float:
        """Seconds of a step of the stage that has begun; measuring them is no part of the training."""
        batch = self.trainee.recipe.batch
        known = self.pace.step(batch, self.trainee.stage)
        if known is not None:
            return known
        with self.trainee.unchanged():
            return self.stopwatch.beside_dense(self.trainee, batch).by(self.pace.clock)

    def _batches(self) -> Iterator[Tensor]:
        examples, batch = self.trainee.examples, self.trainee.recipe.batch
        for epoch in count():
            generator = torch.Generator().manual_seed(self.trainee.seed * 1_000_003 + epoch)
            order = self.trainee.learner.epoch(torch.randperm(examples, generator=generator), self.done)
            yield from [part for part in torch.split(order, batch) if len(part) == batch] or [order]
