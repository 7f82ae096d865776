"""How is a form timed, tuned and trained, where what the folder holds is not made again?"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from mercuric.data.split import Split
from mercuric.files.dataset import PARTS, write_part
from mercuric.progress import Progress
from mercuric.saved_state import Finite, SavedState
from mercuric.studies.schedule.config import ScheduleConfig
from mercuric.studies.schedule.forms import DENSE, FORMS
from mercuric.studies.schedule.forms.form import Ground
from mercuric.studies.schedule.layer_speeds import layer_speeds
from mercuric.studies.schedule.measured import measured
from mercuric.studies.schedule.outcome import Outcome, read_state, write_state
from mercuric.studies.schedule.pace import Pace
from mercuric.studies.schedule.stopwatch import Stopwatch
from mercuric.studies.schedule.trainee import Recipe, Trainee
from mercuric.studies.schedule.training import TimedTraining, TooShort
from mercuric.studies.schedule.tuning import SEED, Tuning, held_out, tune
from mercuric.subjects.lesson import Lesson
from mercuric.training.subset import first_of_shuffle


class LayerSpeeds(SavedState):
    """Layer to how many times faster it is in directions."""

    faster: dict[str, Finite]


@dataclass(frozen=True)
class Judges:
    """Images that a training is judged on.

    Attributes:
        split: of which.
        places: (N,) int64: where they are.
    """

    split: Split
    places: Tensor


@dataclass
class Workbench:
    """All that trainings share.

    Attributes:
        config: of the study.
        folder: gets a JSON file for each form's pace and tuning, and for each training, which is a row of the
            dataset ``parts/`` too.
        lesson: network and data.
        progress: told how far each training is.
        at_once: trainings that share machines.
    """

    config: ScheduleConfig
    folder: Path
    lesson: Lesson
    progress: Progress
    at_once: int = 1

    @cached_property
    def places(self) -> Tensor:
        """(N,) int64: the training examples, of the training images."""
        there = len(self.lesson.image_data.train)
        count = self.config.train_examples
        return first_of_shuffle(there if count is None else count, there)

    @cached_property
    def stopwatch(self) -> Stopwatch:
        """That times steps beside dense's, and knows which layers are faster in directions."""
        plain = self._stopwatch({}, Pace(form=DENSE))
        dense = self._pace(DENSE, plain)
        path = self.folder / "pace" / "layers.json"
        speeds = read_state(LayerSpeeds, path)
        if speeds is None:
            speeds = LayerSpeeds(faster=layer_speeds(self.config, self._stopwatch({}, dense)))
            write_state(path, speeds)
        return self._stopwatch(speeds.faster, dense)

    def pace(self, form: str) -> Pace:
        """Seconds of a form's steps; dense's are the stopwatch's."""
        return self.stopwatch.dense if form == DENSE else self._pace(form, self.stopwatch)

    def tuning(self, pace: Pace, seconds: float) -> Tuning:
        """A form's trials, on training images; the last ones judge and are not trained on.

        Args:
            pace: of the form.
            seconds: of dense's whole schedule.

        Raises:
            MercuricError: Optuna is not installed, or the file of the trials is broken.
        """
        path = self.folder / "tuning" / f"{pace.form}.json"
        kept = held_out(len(self.places))
        judges = Judges(self.lesson.image_data.train, self.places[-kept:])
        train, share = self.places[:-kept], self.config.tuned_at
        before = read_state(Tuning, path) or Tuning(form=pace.form)
        return tune(
            before,
            self.config,
            lambda recipe: self._trained(
                pace, Outcome.begun(pace.form, share, SEED, recipe), seconds, train, judges
            ),
            lambda tuning: write_state(path, tuning),
        )

    def outcome(self, pace: Pace, recipe: Recipe, share: float, seed: int, seconds: float) -> Outcome:
        """A training on all examples, judged on the test images; arguments as above."""
        path = self.outcome_file(pace.form, share, seed)
        found = read_state(Outcome, path)
        if found is None:
            test = self.lesson.image_data.test
            judges = Judges(test, torch.arange(len(test)))
            begun = Outcome.begun(pace.form, share, seed, recipe).changed(at_once=self.at_once)
            found = self._trained(pace, begun, seconds, self.places, judges)
            write_state(path, found)
            row = pd.DataFrame([{key: value for key, value in found.plain().items() if key != "facts"}])
            write_part(row, self.folder / PARTS / f"{path.stem}.parquet")
        return found

    def outcome_file(self, form: str, share: float, seed: int) -> Path:
        """Where what came of a training is."""
        return self.folder / "runs" / f"{form}-{share:g}-{seed}.json"

    def _trained(self, pace: Pace, begun: Outcome, seconds: float, places: Tensor, judges: Judges) -> Outcome:
        form = FORMS[pace.form]
        trainee = Trainee(
            self.stopwatch.ground, form, begun.recipe, pace.setting, begun.seed, places, self.config.augment
        )
        training = TimedTraining(trainee, pace, self.stopwatch, begun.share * seconds, self.progress)
        try:
            training.run()
        except TooShort as short:
            return begun.changed(too_short=str(short))
        accuracy = None if training.diverged else trainee.accuracy(judges.split, judges.places)
        spent, network = training.spent, trainee.learner.network
        return begun.changed(
            steps=spent.steps, planned=spent.planned, wall=spent.wall, cpu=spent.cpu, accuracy=accuracy,
            diverged=spent.steps if accuracy is None else None,
            parameters=sum(one.numel() for one in network.parameters()), facts=trainee.learner.facts(),
        )  # fmt: skip

    def _pace(self, form: str, stopwatch: Stopwatch) -> Pace:
        path = self.folder / "pace" / f"{form}.json"
        pace = read_state(Pace, path)
        if pace is None:
            pace = measured(FORMS[form], self.config, stopwatch, self.progress)
            write_state(path, pace)
        return pace

    def _stopwatch(self, faster: Mapping[str, float], dense: Pace) -> Stopwatch:
        config = self.config
        ground = Ground(self.lesson, config.rank, config.width, config.bits, faster)
        return Stopwatch(ground, self.places, config.clock, config.rounds, dense)
