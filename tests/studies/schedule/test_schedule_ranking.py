"""Who is ahead, and does a training that diverged count?"""

from typing import Any

import pandas as pd
import pytest

from mercuric.page.formats import MISSING
from mercuric.studies.schedule import texts
from mercuric.studies.schedule.config import ScheduleConfig
from mercuric.studies.schedule.forms import FORMS
from mercuric.studies.schedule.outcome import Outcome
from mercuric.studies.schedule.ranking import ranked, standing
from mercuric.studies.schedule.trainee import Recipe
from mercuric.studies.schedule.tuning import Tuning, tune
from mercuric.studies.schedule.written import Written


def row(form: str, share: float, seed: int, accuracy: float | None) -> dict[str, Any]:
    return {
        "form": form, "share": share, "seed": seed, "accuracy": accuracy, "steps": 10, "seconds": 5 * share,
        "filled": 1.0,
    }  # fmt: skip


ROWS = pd.DataFrame(
    [
        row("dense", 0.5, 0, 0.70), row("dense", 0.5, 1, 0.74), row("dense", 1.0, 0, 0.80),
        row("dense", 1.0, 1, 0.82), row("narrow", 0.5, 0, 0.75), row("narrow", 0.5, 1, 0.78),
        row("narrow", 1.0, 0, 0.82), row("narrow", 1.0, 1, 0.81), row("random", 0.5, 0, 0.76),
        row("random", 0.5, 1, None),
    ]
)  # fmt: skip


def written(table: pd.DataFrame) -> Written:
    named = [
        {"form": name, "shown": FORMS[name].shown, "times": 2.0, "learning_rate": 0.05, "batch": 64}
        for name in ("dense", "narrow", "random")
    ]
    return Written({"ranking": table.to_dict("records"), "forms": named, "left_out": {}})


def test_gains_are_over_dense_of_the_same_seed_and_seconds() -> None:
    table = ranked(ROWS, classes=10).set_index(["share", "form"])
    narrow = table.loc[(0.5, "narrow")]
    assert narrow["rank"] == 1 and narrow["seeds"] == 2
    assert narrow["gain"] == pytest.approx((0.05 + 0.04) / 2)
    assert narrow["gain_spread"] == pytest.approx(0.01 / 2**0.5) and standing(narrow) == "ahead"
    whole = table.loc[(1.0, "narrow")]
    assert whole["gain"] == pytest.approx(0.005) and standing(whole) == "level", "seeds scatter more"


def test_a_seed_that_diverged_counts_as_one_that_guesses() -> None:
    table = ranked(ROWS, classes=10).set_index(["share", "form"])
    drawn = table.loc[(0.5, "random")]
    assert drawn["accuracy"] == pytest.approx((0.76 + 0.1) / 2) and drawn["rank"] == 3
    assert drawn["diverged"] == 1 and standing(drawn) == "level", "by 0.06 and by -0.64"
    assert texts.diverged(drawn) == "1 of 2 diverged"
    alone = ranked(ROWS[ROWS["form"] == "random"], classes=10)
    assert alone["gain"].isna().all() and standing(alone.iloc[0]) == "level"


def test_sentences_name_the_first_of_each_share() -> None:
    said = written(ranked(ROWS, classes=10))
    assert texts.headline(said) == "Most accurate at every share of dense's seconds: narrower network."
    assert texts.verdicts(said) == [
        "At 50 %: narrower network, 76.50 %; dense 72.00 %: +4.50 (0.71) points over 2 seeds.",
        "At 100 %: narrower network, 81.50 %; level with dense, 81.00 % (+0.50 (2.12) points, 2 seeds).",
    ]
    first = written(ranked(ROWS[(ROWS["share"] == 0.5) | (ROWS["form"] == "dense")], classes=10))
    assert (
        texts.headline(first) == "Most accurate: narrower network at 50 %; dense at 100 % of dense's seconds."
    )
    assert texts.verdicts(first)[1] == "At 100 %: dense, 81.00 %."
    table = texts.wide(said)
    assert table["form"].tolist() == ["narrow", "dense", "random"]
    assert (
        table.iloc[2]["50 %"] == "3. 43.00 % (46.67), 1 of 2 diverged" and table.iloc[2]["100 %"] == MISSING
    )
    assert texts.headline(written(ranked(ROWS[:0], classes=10))) == "Nothing was trained."


def test_forms_that_took_other_seconds_are_named() -> None:
    assert texts.unfilled(written(ranked(ROWS, classes=10))) == ""
    off = ROWS.assign(filled=[0.8 if form == "narrow" else 1.14 for form in ROWS["form"]])
    said = (
        "Of the seconds to be filled were taken by narrower network (80 %): time them on a quieter machine."
    )
    assert texts.unfilled(written(ranked(off, classes=10))) == said


def test_trials_that_guess_are_named() -> None:
    def said(examples: int) -> str:
        beside = {"classes": 12, "examples": examples, "ranking": []}
        forms = [
            {"form": name, "shown": FORMS[name].shown, "trials": 6, "best_trial": best}
            for name, best in (("dense", 0.5), ("narrow", 0.15), ("random", None))
        ]
        return texts.untuned(Written({**beside, "forms": forms}))

    assert said(560) == (
        "No trial of narrower network and random directions did better than guessing (15.7 % or less of "
        "56 images): with what they were trained is chance. Let trials fill more of the seconds (--tuned-at)."
    )
    assert said(20_000).startswith("No trial of random directions did")


def test_one_seed_has_no_spread() -> None:
    table = ranked(ROWS[ROWS["seed"] == 0], classes=10)
    assert table["spread"].isna().all() and texts.accuracy(table.iloc[0]) == "76.00 %"
    assert texts.points(table.iloc[0]) == "+6.00" and texts.against_dense(table.iloc[0]) == "ahead (one seed)"
    assert texts.against_dense(table[table["form"] == "dense"].iloc[0]) == ""


def attempts(form: str, config: ScheduleConfig, begun: Tuning | None = None) -> Tuning:
    def attempt(recipe: Recipe) -> Outcome:
        worth = None if recipe.learning_rate > 0.1 else recipe.learning_rate
        return Outcome.begun(form, 0.25, 1, recipe).changed(accuracy=worth)

    return tune(begun or Tuning(form=form), config, attempt, lambda _: None)


def test_every_form_is_tuned_by_as_many_trials_the_first_of_them_alike() -> None:
    config = ScheduleConfig(trials=6)
    one, other = attempts("dense", config), attempts("narrow", config)
    assert len(one.trials) == len(other.trials) == 6
    assert [trial.recipe for trial in one.trials] == [trial.recipe for trial in other.trials]
    assert one.trials[0].recipe == Recipe(0.02, 64)
    least, most = config.learning_rates
    assert all(least <= trial.learning_rate <= most and trial.batch in config.batches for trial in one.trials)
    known = [trial for trial in one.trials if trial.accuracy is not None]
    assert one.best == max(known, key=lambda trial: trial.accuracy or 0).recipe
    stopped = Tuning(form="dense", trials=one.trials[:4])
    assert attempts("dense", config, stopped) == one, "a tuning that was stopped goes on as it would have"
    assert Tuning(form="dense", trials=[Outcome.begun("dense", 0.25, 1, Recipe(0.2, 32))]).best is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"forms": ("dense", "fast")}, "form was 'fast', but must be one of dense, narrow"),
        ({"forms": ("narrow",)}, "forms was narrow, but must hold dense"),
        ({"shares": (0.5, 0.5)}, "shares was 0.5, 0.5, but must name each once"),
        ({"seeds": ()}, "seeds was empty"),
        ({"batch": 48}, "batch was 48, but must be one of batches"),
        ({"epochs": 2, "seconds": 3.0}, "epochs was 2, but must be None where seconds are given"),
        ({"learning_rates": (0.3, 0.1)}, "learning_rates was 0.3, 0.1, but the first must be less"),
        ({"network": "vgg12"}, "network was 'vgg12'"),
    ],
)
def test_what_can_not_be_is_named(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ScheduleConfig(**fields)
