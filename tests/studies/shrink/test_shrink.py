"""Does the search find, keep and resume narrower networks?"""

import copy
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mercuric import data
from mercuric.accelerator import preset
from mercuric.data import ImageData
from mercuric.errors import MercuricError
from mercuric.studies.shrink.config import ShrinkConfig
from mercuric.studies.shrink.cost import dense_cost, macs_of, mercury_cost
from mercuric.studies.shrink.search import JOURNAL, front, objectives
from mercuric.studies.shrink.shrunk import load_shrunk
from mercuric.studies.shrink.study import shrink
from mercuric.studies.shrink.trial import TrialResult, ground
from mercuric.training import ClassificationTask, TrainingConfig

TINY = ShrinkConfig(
    model="custom-cnn", width=0.125, image_size=16, train_examples=16, training=TrainingConfig(batch_size=8)
)
WIDER = TINY.model_copy(update={"width": 0.5})


@pytest.fixture(scope="module")
def photos() -> ImageData:
    photos = data.load_images("photos", image_size=16)
    train = replace(photos.train, images=photos.train.images[:24], labels=photos.train.labels[:24])
    test = replace(photos.test, images=photos.test.images[::50], labels=photos.test.labels[::50])
    return replace(photos, train=train, test=test)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch, photos: ImageData) -> Iterator[None]:
    monkeypatch.setattr("mercuric.data.load", lambda *_: photos)
    ground.cache_clear()
    yield
    ground.cache_clear()


def timeless(summary: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**trial, "seconds": 0} for trial in summary["trials"]]


def test_a_small_space_is_searched_whole_and_its_front_kept(tmp_path: Path, photos: ImageData) -> None:
    summary = shrink(TINY, tmp_path, trials=20)
    trials = pd.read_csv(tmp_path / "trials.csv", keep_default_na=False)
    # 16 channels leave 8 or 16, 32 leave 16, 24 or 32: the others have no multiple of 8 below them.
    assert len(trials) == trials["network"].nunique() == 6
    assert list(trials["uniform"][:3]) == ["1 0.9", "0.8", "0.7"] and not any(trials["uniform"][3:])
    assert summary["stages"] == ["16 px", "8 px", "4 px", "1 px"]
    assert summary["unit"] == "MAC" and summary["seeds"] == [0] and summary["test_images"] == 42
    best = pd.read_csv(tmp_path / "front.csv")
    assert list(best["network"]) == list(trials["network"][trials["front"] == True])  # noqa: E712
    kept = {path.parent.name for path in tmp_path.glob("trials/*/network.safetensors")}
    assert kept == set(best["network"])
    assert not list(tmp_path.glob("trials/*/checkpoints"))
    for _, trial in best.iterrows():
        network = load_shrunk(tmp_path / "trials" / trial["network"] / "network.safetensors")
        assert sum(weight.numel() for weight in network.parameters()) == trial["parameters"]
        tested = ClassificationTask(photos).evaluate(network, 8)
        assert tested["test_accuracy"] == pytest.approx(trial["accuracy"])


def test_a_search_that_was_killed_goes_on_to_the_same_trials(tmp_path: Path) -> None:
    whole = shrink(WIDER, tmp_path / "whole", trials=6)

    def kill(done: int, _: int, what: str) -> None:
        if done == 5 and "step 2" in what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shrink(WIDER, tmp_path / "killed", trials=6, progress=kill)
    resumed = shrink(WIDER, tmp_path / "killed", trials=6, resume=True)
    assert timeless(resumed) == timeless(whole)
    assert len({trial["network"] for trial in whole["trials"]}) == 6
    with pytest.raises(MercuricError, match="killed holds a run already; add --resume"):
        shrink(WIDER, tmp_path / "killed", trials=6)
    other = WIDER.model_copy(update={"seed": 1})
    with pytest.raises(MercuricError, match="killed holds another run: seed was 0, now 1"):
        shrink(other, tmp_path / "killed", trials=6, resume=True)
    assert json.loads((tmp_path / "killed/shrink.json").read_text()) == resumed
    journal = tmp_path / "killed" / JOURNAL
    kept = journal.read_bytes()
    journal.write_bytes(kept + b'{"op_code": 4, "wor')
    assert timeless(shrink(WIDER, tmp_path / "killed", trials=6, resume=True)) == timeless(whole)
    assert all(map(json.loads, journal.read_text().splitlines())), "half a line is cut off"
    for broken in (kept.replace(b"result", b"resu1t"), kept[:100] + b"\n", b"5\n", b"\xff\n"):
        journal.write_bytes(broken)
        with pytest.raises(MercuricError, match=r"search\.log is broken .*; remove .* to start over"):
            shrink(WIDER, tmp_path / "killed", trials=6, resume=True)


def test_a_diverged_training_is_noted_and_the_search_goes_on(tmp_path: Path) -> None:
    training = TrainingConfig(batch_size=4, learning_rate=1e30)
    summary = shrink(TINY.model_copy(update={"training": training}), tmp_path, trials=4)
    assert len(summary["trials"]) == 4
    for trial in summary["trials"]:
        assert trial["accuracy"] is None and not trial["front"]
        assert "the loss of the dense run with seed 0 became" in trial["note"]


@pytest.mark.parametrize(
    ("trials", "jobs", "sentence"),
    [(0, 1, "trials was 0, but must be at least 4: the uniform widths 1, 0.9"), (4, 0, "jobs was 0, but")],
)
def test_wrong_numbers_are_refused_before_anything_is_written(
    trials: int, jobs: int, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=sentence):
        shrink(TINY, tmp_path / "new", trials, jobs)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"model": "transformer"}, "model was 'transformer', but must be one of alexnet"),
        ({"accelerator": "eyeris"}, "accelerator was 'eyeris', but must be one of"),
        ({"data": "foto"}, "data was 'foto', but must be one of"),
        ({"width": 0.0}, "width was 0.0, but must"),
    ],
)
def test_wrong_settings_are_refused_by_name(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ShrinkConfig(**{**TINY.model_dump(), **fields})


def test_without_optuna_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MercuricError, match=r'pip install "mercuric\[search\]"'):
        shrink(TINY, tmp_path / "new", trials=4)
    assert not (tmp_path / "new").exists()


def test_costs_count_groups_and_mercury_skips_work() -> None:
    network = nn.Sequential(nn.Conv2d(8, 8, 3, groups=8, bias=False), nn.Conv2d(8, 40, 3, bias=False))
    images = torch.zeros(2, 8, 12, 12)
    assert macs_of(network, images[:1]) == 10 * 10 * 8 * 9 + 8 * 8 * 8 * 40 * 9
    accelerator = preset("eyeriss-168")
    dense = dense_cost(copy.deepcopy(network).to("meta"), images[:1].to("meta"), accelerator)
    same = mercury_cost(network, images, accelerator)
    assert 0 < same.latency < dense.latency and same.energy < dense.energy
    never_pays = network[:1]
    assert mercury_cost(never_pays, images, accelerator) == dense_cost(never_pays, images[:1], accelerator)
    assert same == mercury_cost(network, images[:1], accelerator)


SMALL = st.integers(0, 3).map(float)
RESULTS = st.builds(
    TrialResult,
    accuracy=SMALL | st.none(),
    parameters=st.just(1),
    macs=st.just(1),
    energy=SMALL,
    latency=SMALL,
)


@given(st.lists(RESULTS, max_size=8))
def test_the_front_is_what_nothing_dominates(results: list[TrialResult]) -> None:
    for result, best in zip(results, front(results, mercury=False), strict=True):
        mine = objectives(result, mercury=False)
        others = [point for one in results if (point := objectives(one, mercury=False)) is not None]
        better = [
            point
            for point in others
            if mine is not None
            and point[0] >= mine[0] and point[1] <= mine[1] and point[2] <= mine[2] and point != mine
        ]  # fmt: skip
        assert best == (mine is not None and not better)


def test_a_file_that_is_no_shrunk_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MercuricError, match="there is no network"):
        load_shrunk(tmp_path / "missing.safetensors")
    (tmp_path / "other.safetensors").write_bytes(b"no tensors")
    with pytest.raises(MercuricError, match="is no network that mercuric shrink wrote"):
        load_shrunk(tmp_path / "other.safetensors")
