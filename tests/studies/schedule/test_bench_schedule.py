"""Is a front timed, tuned and trained, gone on with, and shown?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mercuric.data import ImageData
from mercuric.errors import MercuricError
from mercuric.studies.schedule.config import ScheduleConfig
from mercuric.studies.schedule.methods import methods
from mercuric.studies.schedule.outcome import Outcome, write_state
from mercuric.studies.schedule.ranking import ranked
from mercuric.studies.schedule.study import Found, bench_schedule
from mercuric.studies.schedule.summary import training_rows
from mercuric.studies.schedule.trainee import Recipe
from mercuric.studies.schedule.tuning import Tuning

Run = Callable[..., Any]

SMALL = ScheduleConfig(
    network="custom-cnn", batch=4, batches=(4,), trials=1, rounds=1, compiled=False, clock="cpu",
    precisions=("float32",), forms=("dense", "narrow", "principal", "resizing"), shares=(0.5, 1.0),
    tuned_at=0.5,
)  # fmt: skip
NAMES = {"dense", "narrow"}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, few_photos: ImageData) -> ScheduleConfig:
    """A study of a few photographs, of which no layer is faster in directions."""
    monkeypatch.setattr("mercuric.data.load", lambda *_, **__: few_photos)
    monkeypatch.setattr("mercuric.studies.schedule.workbench.layer_speeds", lambda *_: {"features.3": 0.5})
    return SMALL


def test_forms_fill_the_same_seconds(small: ScheduleConfig, tmp_path: Path) -> None:
    told: list[int] = []
    found = bench_schedule(small, tmp_path, progress=lambda done, *_: told.append(done))
    assert found.left_out == {
        "principal directions": "no layer of custom-cnn is clearly faster in 0.25 of its directions here",
        "progressive resizing": "custom-cnn reads images of at least 16 pixels a side, and these have 16: "
        "there are no smaller ones to begin with",
    }
    assert found.tunings.keys() == NAMES and found.examples == 24 and found.classes == 7
    dense = found.paces["dense"].step(4, 0)
    assert dense is not None and found.seconds == pytest.approx(6 * dense)
    assert {(one.form, one.share): one.steps for one in found.outcomes if one.form == "dense"} == {
        ("dense", 0.5): 3, ("dense", 1.0): 6,
    }  # fmt: skip
    for one in found.outcomes:
        step = found.paces[one.form].step(4, 0)
        assert step is not None and one.planned <= one.share * found.seconds + step / 2 + 1e-9
        assert one.accuracy is not None and 0 <= one.accuracy <= 1 and one.cpu > 0
    trial = json.loads((tmp_path / "tuning" / "narrow.json").read_text())["trials"][0]
    assert (trial["learning_rate"], trial["batch"]) == (0.02, 4)


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


def test_a_killed_study_goes_on_run_by_run(small: ScheduleConfig, tmp_path: Path) -> None:
    def kill(_done: int, _total: int, what: str = "", bar: str = "") -> None:
        if bar == "" and what.startswith("narrow, 100%"):
            raise Killed

    with pytest.raises(Killed):
        bench_schedule(small, tmp_path, progress=kill)
    there = sorted(path.name for path in (tmp_path / "runs").glob("*"))
    assert there == ["dense-0.5-0.json", "dense-1-0.json", "narrow-0.5-0.json"]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*.json")}
    more = small.changed(seeds=(0, 1))
    shown: list[int] = []
    found = bench_schedule(more, tmp_path, resume=True, show=lambda one: shown.append(len(one.outcomes)))
    assert {path: path.stat().st_mtime_ns for path in before} == before, "nothing is made again"
    assert shown == [0, 4, 8] and len(found.outcomes) == 8
    narrow = tmp_path / "runs" / "narrow-1-0.json"
    first = json.loads(narrow.read_text())
    narrow.unlink()
    bench_schedule(more, tmp_path, resume=True)
    again = json.loads(narrow.read_text())
    clocks = dict.fromkeys(("wall", "cpu"))
    assert {**again, **clocks} == {**first, **clocks}
    narrow.write_text('{"form": 5}')
    with pytest.raises(
        MercuricError, match=r"narrow-1-0\.json is broken .*; remove it to have it made again"
    ):
        bench_schedule(more, tmp_path, resume=True)


def test_another_study_in_the_folder_is_named(small: ScheduleConfig, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(small.to_yaml())
    with pytest.raises(MercuricError, match="add --resume to go on"):
        bench_schedule(small, tmp_path)
    with pytest.raises(MercuricError, match="holds another run: trials was 1, now 2"):
        bench_schedule(small.changed(trials=2), tmp_path, resume=True)


def test_a_seed_that_diverges_counts_and_the_rest_goes_on(small: ScheduleConfig, tmp_path: Path) -> None:
    wild = Outcome.begun("narrow", 0.25, 1, Recipe(1e30, 4)).changed(accuracy=0.9)
    write_state(tmp_path / "tuning" / "narrow.json", Tuning(form="narrow", trials=[wild]))
    found = bench_schedule(small.changed(forms=("dense", "narrow"), epochs=2), tmp_path)
    dense, narrow = ([one for one in found.outcomes if one.form == name] for name in ("dense", "narrow"))
    assert [(one.accuracy, one.diverged == one.steps) for one in narrow] == [(None, True)] * 2
    assert all(one.accuracy is not None and one.diverged is None for one in dense)
    rows = training_rows(found, small)
    assert rows["accuracy"].isna().tolist() == [False, True] * 2, "it is there, and not left out"
    assert ranked(rows, found.classes)["diverged"].tolist().count(1) == 2 and found.left_out == {}


def test_a_form_whose_trials_diverge_is_named(small: ScheduleConfig, tmp_path: Path) -> None:
    rates = (1e29, 1e30)
    wild = small.changed(forms=("dense", "narrow"), learning_rates=rates, seconds=1.0, rounds=2)
    found = bench_schedule(wild, tmp_path)
    assert all(trial.diverged for one in found.tunings.values() for trial in one.trials)
    assert found.outcomes == []
    assert found.left_out == dict.fromkeys(("dense", "narrower network"), "each of its trials diverged")


def test_seconds_that_hold_no_step_are_named(small: ScheduleConfig, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="seconds was 1e-09, but must hold a step of dense training"):
        bench_schedule(small.changed(seconds=1e-9), tmp_path)


def short(found: Found) -> list[str]:
    return [one.too_short for one in found.outcomes if one.too_short]


def test_a_share_that_holds_no_step_is_named_and_the_rest_goes_on(
    small: ScheduleConfig, tmp_path: Path
) -> None:
    config = small.changed(forms=("dense",), shares=(0.001, 1.0), tuned_at=1.0)
    found = bench_schedule(config, tmp_path)
    [why] = short(found)
    assert "are shorter than a step (" in why and found.left_out == {"dense, 0.1 %": why}
    assert [one.share for one in found.outcomes if one.accuracy is not None] == [1.0]


@pytest.mark.parametrize(
    ("asked", "compiling", "said"),
    [
        (False, 0.0, "; torch.compile was not tried, as measured"),
        (True, 0.0, "; torch.compile doesn't work on this machine, as measured"),
        (True, 3.0, ", and torch.compile, as measured"),
    ],
)
def test_the_page_says_whether_dense_was_compiled(asked: bool, compiling: float, said: str) -> None:
    config = SMALL.changed(compiled=asked).model_dump(mode="json")
    found = {"config": config, "forms": [{"compiling": compiling}], "examples": 24, "classes": 7}
    assert said in dict(methods(found))["Dense"]


def test_the_front_as_a_page(mercuric: Run, tmp_path: Path) -> None:
    options = ("--quick", "--clock", "cpu", "--forms", "dense,narrow,resizing", "--out", tmp_path)
    done = mercuric("bench", "schedule", "custom-cnn", *options)
    assert done.exit_code == 0, done.output
    assert "narrower network" in done.stdout and "At 100 %: " in done.stdout
    left = "Left out: progressive resizing: custom-cnn reads images of at least 16 pixels a side, and these"
    assert left in done.stdout
    page = (tmp_path / "report.html").read_text()
    assert "Accuracy against seconds of training" in page and "What was left out" in page
    assert "mercuric bench schedule custom-cnn --forms dense,narrow,resizing" in page
    table = pd.read_csv(tmp_path / "schedule.csv")
    assert set(table["form"]) == NAMES and table["filled"].gt(0).all()
    assert (
        (tmp_path / "schedule.md")
        .read_text()
        .startswith("| form | times faster | learning rate | batch | 50 % |")
    )
    told = mercuric("bench", "schedule", "custom-cnn", *options, "--resume", "--json")
    described = json.loads(told.stdout)
    assert described["subject"] == "custom-cnn on 16 images of photos, 4 epochs of dense training, 1 seed"
    assert [form["form"] for form in described["forms"]] == ["dense", "narrow"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--forms", "dense,quick"), "form was 'quick', but must be one of dense, narrow"),
        (("--shares", "half"), "shares was 'half', but must be numbers with commas between"),
        (("--seeds", "one"), "seeds was 'one'"),
        (("--batches", "4,x"), "batches was '4,x'"),
        (("--train-examples", 10**6), "train_examples was 1000000"),
        (("--batch", 32, "--batches", "32"), "batch_size was 32, but must be at most the 24"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    mercuric: Run, refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    options: tuple[object, ...], sentence: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert sentence in refused(mercuric("bench", "schedule", "custom-cnn", *options))
    assert not list(tmp_path.iterdir())
