"""Does a training fill its seconds, by what its steps were measured to take?"""

import time
from typing import Any, cast

import pytest
import torch
from schedule_subjects import ground_of, trainee_of

from mercuric.data import ImageData
from mercuric.studies.bench.interleaved import Timings
from mercuric.studies.schedule import stopwatch as stopwatch_file
from mercuric.studies.schedule.forms import FORMS
from mercuric.studies.schedule.pace import Pace, StageState, StepSeconds
from mercuric.studies.schedule.setting import Setting
from mercuric.studies.schedule.stopwatch import Stopwatch, both_clocks
from mercuric.studies.schedule.trainee import Recipe, Trainee
from mercuric.studies.schedule.training import TimedTraining, TooShort

BATCH = 8


class Told:
    """A stopwatch that is told what steps take."""

    def __init__(self, seconds: float) -> None:
        self.asked: list[int] = []
        self._seconds = seconds

    def beside_dense(self, trainee: Trainee, batch: int) -> StepSeconds:
        self.asked.append(trainee.stage)
        trainee.step(torch.arange(batch), 1.0)
        return StepSeconds(batch=batch, stage=trainee.stage, wall=self._seconds, cpu=self._seconds)


def pace_of(form: str, *stages: tuple[float | None, float | None]) -> Pace:
    """Stages with their shares and the seconds of their steps."""
    return Pace(
        form=form,
        clock="cpu",
        stages=[StageState(name=str(place), share=share) for place, (share, _) in enumerate(stages)],
        steps=[
            StepSeconds(batch=BATCH, stage=place, wall=seconds, cpu=seconds)
            for place, (_, seconds) in enumerate(stages)
            if seconds is not None
        ],
    )


def trained(trainee: Trainee, pace: Pace, seconds: float, stopwatch: Any = None) -> TimedTraining:
    training = TimedTraining(trainee, pace, cast(Stopwatch, stopwatch), seconds)
    training.run()
    return training


def stages_of(trainee: Trainee) -> list[int]:
    """The stage of each step, noted as it is done."""
    seen: list[int] = []
    step = trainee.step

    def noted(examples: torch.Tensor, rate: float) -> float:
        seen.append(trainee.stage)
        return step(examples, rate)

    trainee.step = noted  # type: ignore[method-assign]
    return seen


@pytest.mark.parametrize(("seconds", "steps"), [(5.0, 5), (5.4, 5), (5.6, 6), (1.0, 1)])
def test_as_many_steps_as_the_seconds_hold(few_photos: ImageData, seconds: float, steps: int) -> None:
    training = trained(trainee_of("dense", ground_of(few_photos)), pace_of("dense", (1.0, 1.0)), seconds)
    assert training.spent.steps == steps == training.spent.planned and training.diverged is None
    assert training.spent.cpu > 0 and training.spent.wall > 0


def test_seconds_shorter_than_a_step_are_named(few_photos: ImageData) -> None:
    with pytest.raises(TooShort, match=r"0.9 s are shorter than a step \(1 s, 8 images\)"):
        trained(trainee_of("dense", ground_of(few_photos)), pace_of("dense", (1.0, 1.0)), 0.9)


def test_steps_that_look_around_count_as_long_as_they_take(few_photos: ImageData) -> None:
    """A step of a tenth of a second is planned: what estimates directions is counted by the clock."""
    trainee = trainee_of("principal", ground_of(few_photos))
    step, taken = trainee.step, []

    def slow(examples: torch.Tensor, rate: float) -> float:
        taken.append(len(taken))
        if len(taken) == 1:
            started = time.process_time()
            while time.process_time() < started + 0.5:
                pass
        return step(examples, rate)

    trainee.step = slow  # type: ignore[method-assign]
    training = trained(trainee, pace_of("principal", (1.0, 0.1)), 1.0)
    assert training.spent.steps <= 6 and 0.9 < training.spent.planned < 1.1


def test_stages_have_their_shares_of_the_steps(few_photos: ImageData) -> None:
    """A fifth of the steps at 2 s, the rest at 0.5 s: 0.2 x 2 + 0.8 x 0.5 = 0.8 s a step."""
    trainee = trainee_of("pufferfish", ground_of(few_photos))
    pace, seen = pace_of("pufferfish", (0.2, 2.0), (0.8, 0.5)), stages_of(trainee)
    assert pace.mean_step(BATCH) == pytest.approx(0.8) and pace.end(BATCH, 0) == pytest.approx(0.5)
    training = trained(trainee, pace, 16.0)
    assert seen.count(0) == 4 and seen.count(1) in (15, 16), "less what factorising took"
    assert training.spent.planned <= 16.25, "half a step more at most"


def test_a_stage_that_nobody_could_time_is_timed_as_it_begins(few_photos: ImageData) -> None:
    trainee = trainee_of("cuttlefish", ground_of(few_photos))
    before = trainee.learner.network.get_submodule("features.0").weight
    stopwatch, pace = Told(0.25), pace_of("cuttlefish", (None, 1.0), (None, None))
    assert pace.end(BATCH, 0) is None and pace.mean_step(BATCH) == 1.0
    with torch.no_grad():
        trainee.learner.network.get_submodule("features.6").weight[0] *= 30
    training = trained(trainee, pace, 20.0, stopwatch)
    assert stopwatch.asked == [1], "once"
    assert training.spent.steps > 20 and 19.5 < training.spent.planned <= 20.2
    assert bool(torch.isfinite(before).all()), "what was timed at a rate of 1 is not kept"


def test_a_loss_that_is_not_finite_is_counted_as_diverged(few_photos: ImageData) -> None:
    trainee = trainee_of("dense", ground_of(few_photos), rate=1e30)
    training = trained(trainee, pace_of("dense", (1.0, 1.0)), 30.0)
    assert training.diverged == training.spent.steps < 30


def test_the_same_seed_gives_the_same_network(few_photos: ImageData) -> None:
    found = []
    for seed in (3, 3, 4):
        trainee = trainee_of("infobatch", ground_of(few_photos), seed=seed)
        trained(trainee, pace_of("infobatch", (1.0, 1.0)), 9.0)
        found.append(trainee.learner.network.get_submodule("features.3").weight)
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_a_network_of_fewer_examples_is_timed_beside_dense(few_photos: ImageData) -> None:
    """As trials are, which leave out those that they are judged on."""
    ground = ground_of(few_photos)
    dense = pace_of("dense", (1.0, 2.0))
    stopwatch = Stopwatch(ground, torch.arange(24), "cpu", 3, dense)
    trainee = Trainee(ground, FORMS["cuttlefish"], Recipe(0.02, BATCH), Setting(), 0, torch.arange(17))
    trainee.enter(0)
    found = stopwatch.beside_dense(trainee, BATCH)
    assert (found.batch, found.stage) == (BATCH, 0) and found.cpu > 0 and found.wall > 0


def test_both_clocks_see_the_same_runs() -> None:
    calls: list[str] = []
    times = both_clocks({"one": lambda: calls.append("one"), "two": lambda: calls.append("two")}, rounds=4)
    assert {name: len(taken) for name, taken in times["cpu"].seconds.items()} == {"one": 4, "two": 4}
    assert len(times["wall"].seconds["one"]) == 4 and calls.count("one") == calls.count("two") == 7


@pytest.mark.parametrize(("again", "taken"), [([0.9, 0.8, 0.9], 1), ([0.9, 1.1, 1.2], 0)])
def test_another_setting_than_denses_must_be_faster_twice(
    few_photos: ImageData, monkeypatch: pytest.MonkeyPatch, again: list[float], taken: int
) -> None:
    ground, settings = ground_of(few_photos), [Setting(True), Setting(False)]
    measured = iter([{"usual": [1.0, 1.0], "other": [0.7, 0.9]}, {"usual": [1.0] * 3, "other": again}])

    def told(functions: Any, _: int) -> dict[str, Timings]:
        seconds = next(measured)
        return {"cpu": Timings(dict(zip(functions, seconds.values(), strict=True)))}

    monkeypatch.setattr(stopwatch_file, "both_clocks", told)
    stopwatch = Stopwatch(ground, torch.arange(24), "cpu", 3, pace_of("dense", (1.0, 2.0)))
    trainees = {one: stopwatch.trainee(FORMS["dense"], BATCH, one) for one in settings}
    assert stopwatch.fastest(trainees, BATCH) == settings[taken]
