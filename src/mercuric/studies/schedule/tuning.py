"""With which learning rate and batch is a form trained? Those of the best of a few trials."""

from collections.abc import Callable
from typing import Any

from pydantic import Field

from mercuric.saved_state import SavedState, Text
from mercuric.studies.optuna_sampler import load_optuna
from mercuric.studies.schedule.config import ScheduleConfig
from mercuric.studies.schedule.outcome import Outcome
from mercuric.studies.schedule.trainee import Recipe

FIRST_RATE = 0.02
"""Of the first trial of each form, where it is within the range: that of ``mercuric train``."""
NOTHING = 0.0
"""What a trial that diverged, or was too short for a step, is worth to the sampler."""
SEED = 2023
"""Of the sampler, and of the trials' weights and order: no seed that is judged."""

HELD_OUT, MOST_HELD_OUT = 0.1, 2000
"""Share of the training examples, and most of them, that trials are judged on and not trained on."""

_RATE, _BATCH = "learning_rate", "batch"


class Tuning(SavedState):
    """The trials of one form.

    Attributes:
        form: its name.
        trials: each a training on some of the training images, judged on others of them.
    """

    form: Text
    trials: list[Outcome] = Field(default_factory=list)

    @property
    def best(self) -> Recipe | None:
        """The most accurate trial's; None where none had an accuracy."""
        known = [trial for trial in self.trials if trial.accuracy is not None]
        return max(known, key=_worth).recipe if known else None


def held_out(examples: int) -> int:
    """How many of the training examples judge trials."""
    return max(1, min(MOST_HELD_OUT, round(HELD_OUT * examples)))


def tune(
    tuning: Tuning, config: ScheduleConfig, attempt: Callable[[Recipe], Outcome],
    keep: Callable[[Tuning], None],
) -> Tuning:  # fmt: skip
    """Try recipes until there are as many trials as the configuration asks for.

    What is proposed depends on the trials before alone: a tuning that was stopped proposes what one that ran
    through does, and until the sampler has seen half of its trials, all forms try the same recipes.

    Args:
        tuning: the trials that there are.
        config: how many, and from which ranges.
        attempt: trains and judges a recipe.
        keep: given the tuning after each trial.

    Raises:
        MercuricError: Optuna is not installed.
    """
    while len(tuning.trials) < config.trials:
        outcome = attempt(_proposed(tuning, config))
        tuning = tuning.changed(trials=[*tuning.trials, outcome])
        keep(tuning)
    return tuning


def _proposed(tuning: Tuning, config: ScheduleConfig) -> Recipe:
    least, most = config.learning_rates
    if not tuning.trials:
        return Recipe(min(most, max(least, FIRST_RATE)), config.batch)
    optuna = load_optuna()
    space = {
        _RATE: optuna.distributions.FloatDistribution(least, most, log=True),
        _BATCH: optuna.distributions.CategoricalDistribution(list(config.batches)),
    }
    number = len(tuning.trials)
    sampler = optuna.samplers.TPESampler(
        seed=SEED + number, n_startup_trials=max(2, (config.trials + 1) // 2)
    )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for trial in tuning.trials:
        study.add_trial(_known(optuna, trial, space))
    drawn = study.ask(space).params
    return Recipe(float(drawn[_RATE]), int(drawn[_BATCH]))


def _known(optuna: Any, trial: Outcome, space: dict[str, Any]) -> Any:
    values = {_RATE: trial.learning_rate, _BATCH: trial.batch}
    return optuna.trial.create_trial(params=values, distributions=space, value=_worth(trial))


def _worth(trial: Outcome) -> float:
    return NOTHING if trial.accuracy is None else trial.accuracy
