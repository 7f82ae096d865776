"""How long does a step of a form take, stage by stage, and what does a schedule of so many seconds hold?"""

from typing import Annotated, Literal

from pydantic import Field

from mercuric.saved_state import Finite, SavedState, Switch, Text, Whole
from mercuric.studies.bench.settings import Precision
from mercuric.studies.schedule.forms.form import Stage
from mercuric.studies.schedule.setting import Setting

ClockName = Literal["wall", "cpu"]
Seconds = Annotated[Finite, Field(ge=0)]


class StepSeconds(SavedState):
    """What a step takes.

    Attributes:
        batch: images a step.
        stage: of the schedule, counted from 0.
        wall: seconds of the wall's clock.
        cpu: seconds of the processor, all threads'.
    """

    batch: Whole
    stage: Whole
    wall: Seconds
    cpu: Seconds

    def by(self, clock: ClockName) -> float:
        """Seconds by that clock."""
        return self.cpu if clock == "cpu" else self.wall


class StageState(SavedState):
    """A stage as it is saved; see :class:`~mercuric.studies.schedule.forms.form.Stage`."""

    name: Text
    share: Finite | None


class Pace(SavedState):
    """What was measured of a form, or why a network can't take it.

    Attributes:
        form: its name.
        clock: which seconds count.
        channels_last: see :class:`~mercuric.studies.schedule.setting.Setting`.
        precision: the same.
        compiled: the same.
        compiling: seconds that compiling took, which no schedule counts.
        stages: of a schedule.
        steps: what was measured: of each batch and stage, unless the stage is not known beforehand.
        refused: why the form is left out; empty where it isn't.
    """

    form: Text
    clock: ClockName = "wall"
    channels_last: Switch = True
    precision: Precision = "float32"
    compiled: Switch = False
    compiling: Seconds = 0.0
    stages: list[StageState] = Field(default_factory=list)
    steps: list[StepSeconds] = Field(default_factory=list)
    refused: Text = ""

    @property
    def setting(self) -> Setting:
        """How the form computes."""
        return Setting(self.channels_last, self.precision, self.compiled)

    def step(self, batch: int, stage: int) -> float | None:
        """Seconds of a step; None: it was not measured."""
        return next(
            (one.by(self.clock) for one in self.steps if (one.batch, one.stage) == (batch, stage)),
            None,
        )

    def end(self, batch: int, stage: int) -> float | None:
        """The share of a schedule's seconds after which a stage ends; None: the form itself says when."""
        spent = [self._share(batch, place) for place in range(len(self.stages))]
        if None in spent:
            return None
        known = [one for one in spent if one is not None]
        return sum(known[: stage + 1]) / sum(known)

    def mean_step(self, batch: int) -> float | None:
        """Mean seconds of a step over a whole schedule; of a form that chooses its stages, of the first."""
        spent = [self._share(batch, place) for place in range(len(self.stages))]
        if None in spent:
            return self.step(batch, 0)
        return sum(one for one in spent if one is not None)

    def _share(self, batch: int, stage: int) -> float | None:
        """Seconds that a step of a schedule spends in a stage, in the mean."""
        share, step = self.stages[stage].share, self.step(batch, stage)
        return None if share is None or step is None else share * step


def saved_stages(stages: tuple[Stage, ...]) -> list[StageState]:
    """Stages, ready to be saved."""
    return [StageState(name=stage.name, share=stage.share) for stage in stages]
