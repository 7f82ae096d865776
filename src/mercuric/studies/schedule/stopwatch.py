"""How are steps of a form timed beside dense's, so that both see the machine in the same state?"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

import torch
from torch import Tensor

from mercuric.studies.bench.interleaved import Function, Timings, interleaved
from mercuric.studies.schedule.forms import DENSE, FORMS
from mercuric.studies.schedule.forms.form import Form, Ground
from mercuric.studies.schedule.pace import ClockName, Pace, StepSeconds
from mercuric.studies.schedule.setting import Setting
from mercuric.studies.schedule.trainee import Recipe, Trainee

WARM_UPS = 3
"""Steps before those that are timed: directions come into use with the second, exact reuse looks around."""
RATE = 1e-3
"""The learning rate of steps that are timed."""
SEED = 0


@dataclass
class Stopwatch:
    """Times steps.

    Attributes:
        ground: network and data.
        places: (N,) int64: the examples, of the training images.
        clock: which seconds count.
        rounds: measurements of each.
        dense: what is known of dense's steps.
    """

    ground: Ground
    places: Tensor
    clock: ClockName
    rounds: int
    dense: Pace = field(default_factory=lambda: Pace(form=DENSE))
    _beside: tuple[int, Trainee] | None = None

    def trainee(self, form: Form, batch: int, setting: Setting) -> Trainee:
        """A network to be timed, in its first stage."""
        made = Trainee(self.ground, form, Recipe(RATE, batch), setting, SEED, self.places)
        made.enter(0)
        return made

    def alone(self, trainees: Mapping[int, Trainee]) -> list[StepSeconds]:
        """Seconds of a step, of trainees by their batches, in turn."""
        named = {str(batch): self._step(trainee, batch) for batch, trainee in trainees.items()}
        times = both_clocks(named, self.rounds)
        return [
            StepSeconds(
                batch=batch, stage=trainee.stage,
                **{clock: one.milliseconds(str(batch)).median / 1000 for clock, one in times.items()},
            )
            for batch, trainee in trainees.items()
        ]  # fmt: skip

    def beside_dense(self, trainee: Trainee, batch: int) -> StepSeconds:
        """Seconds of a trainee's step: dense's, times the median ratio of both in turn."""
        steps = {DENSE: self._step(self._dense(batch), batch), "form": self._step(trainee, batch)}
        times = both_clocks(steps, self.rounds)
        known = next(one for one in self.dense.steps if one.batch == batch)
        return StepSeconds(
            batch=batch, stage=trainee.stage,
            **{
                clock: known.by(clock) * one.speedup(DENSE, "form").median for clock, one in times.items()
            },
        )  # fmt: skip

    def fastest(self, trainees: Mapping[Setting, Trainee], batch: int) -> Setting:
        """The setting that is fastest, of trainees in turn; dense's unless another clearly is."""
        named = {setting.shown: self._step(trainee, batch) for setting, trainee in trainees.items()}
        best, usual = both_clocks(named, self.rounds)[self.clock].fastest(*named), self.dense.setting.shown
        if usual in named and best != usual:
            # The least of several noisy medians is too small: the two once more, and more often.
            again = {name: named[name] for name in (usual, best)}
            faster = both_clocks(again, 2 * self.rounds)[self.clock].speedup(best, usual)
            best = best if faster.q1 > 1 else usual
        return next(setting for setting in trainees if setting.shown == best)

    def _dense(self, batch: int) -> Trainee:
        if self._beside is None or self._beside[0] != batch:
            self._beside = (batch, self.trainee(FORMS[DENSE], batch, self.dense.setting))
        return self._beside[1]

    def _step(self, trainee: Trainee, batch: int) -> Function:
        batches = _batches(trainee.examples, batch)
        return lambda: trainee.step(next(batches), RATE)


def both_clocks(functions: Mapping[str, Function], rounds: int) -> dict[ClockName, Timings]:
    """Time functions in turn, by the wall's clock and by the processor's at once."""
    processor: dict[str, list[float]] = {name: [] for name in functions}

    def watched(name: str, function: Function) -> Function:
        def run() -> None:
            started = time.process_time()
            function()
            processor[name].append(time.process_time() - started)

        return run

    named = {name: watched(name, function) for name, function in functions.items()}
    wall = interleaved(named, rounds, WARM_UPS)
    return {"wall": wall, "cpu": Timings({name: taken[WARM_UPS:] for name, taken in processor.items()})}


def _batches(examples: int, batch: int) -> Iterator[Tensor]:
    for epoch in count():
        order = torch.randperm(examples, generator=torch.Generator().manual_seed(epoch))
        yield from (part for part in torch.split(order, batch) if len(part) == batch)
