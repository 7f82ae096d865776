import errno
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

from mercuric import zoo
from mercuric.data import ImageData
from mercuric.errors import Diverged, MercuricError
from mercuric.training import ClassificationTask, FewerExamples, TrainingConfig, TrainingRun
from mercuric.training.checkpoint import load_checkpoint, save_checkpoint
from mercuric.training.optimization import make_optimizer

CONFIGS = {
    "sgd": TrainingConfig(epochs=2, batch_size=8, learning_rate=0.02, checkpoint_every=3),
    "adamw": TrainingConfig(
        epochs=2, batch_size=8, optimizer="adamw", learning_rate=1e-3, schedule="cosine", checkpoint_every=3
    ),
    "augmented": TrainingConfig(
        epochs=2, batch_size=8, momentum=0, augment=True, label_smoothing=0.1, checkpoint_every=3
    ),
}


class Counter:
    """A companion that counts steps."""

    def __init__(self) -> None:
        self.steps = 0
        self.losses: list[float] = []

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps, "losses": self.losses}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state["steps"] > 10:
            raise ValueError(f"steps was {state['steps']}, but must be at most 10")
        self.steps, self.losses = state["steps"], state["losses"]


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


def run(folder: Path, images: ImageData, config: TrainingConfig, stop: int | None = None) -> TrainingRun:
    torch.manual_seed(4)
    counter = Counter()

    def progress(step: int, _total: int, _what: str) -> None:
        counter.steps += 1
        if step == stop:
            raise Killed

    model = zoo.build("custom-cnn", 7, 3, 16)
    task = ClassificationTask(images, config.label_smoothing, config.augment)
    return TrainingRun(
        "dense", 4, model, task, config, folder, {"counter": counter},
        after_step=lambda loss: counter.losses.append(loss), progress=progress,
    )  # fmt: skip


def lines(folder: Path) -> list[dict[str, Any]]:
    read = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in read]


def events(folder: Path, name: str) -> list[tuple[int, float]]:
    accumulator = EventAccumulator(str(folder / "events" / "dense-4"), size_guidance={"scalars": 0})
    accumulator.Reload()
    return [(event.step, event.value) for event in accumulator.Scalars(name)]


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_killed_run_goes_on_to_the_same_end(tmp_path: Path, few_photos: ImageData, name: str) -> None:
    whole = run(tmp_path / "whole", few_photos, CONFIGS[name])
    figures = whole.fit()
    for stop in (2, 4, 8):  # before the first checkpoint, after one, and in the second epoch
        with pytest.raises(Killed):
            run(tmp_path / "killed", few_photos, CONFIGS[name], stop).fit(resume=True)
    resumed = run(tmp_path / "killed", few_photos, CONFIGS[name])
    after = resumed.fit(resume=True)
    assert same(whole.model.state_dict(), resumed.model.state_dict())
    assert lines(tmp_path / "whole") == lines(tmp_path / "killed")
    assert {**figures, "seconds": 0} == {**after, "seconds": 0}
    losses = [line["loss"] for line in lines(tmp_path / "whole") if line["event"] == "step"]
    assert resumed.companions["counter"].state_dict() == {"steps": 10, "losses": losses}


@pytest.mark.parametrize("stop", [4, 10])
def test_tensorboard_shows_each_step_once(tmp_path: Path, few_photos: ImageData, stop: int) -> None:
    config = CONFIGS["sgd"]
    with pytest.raises(Killed):
        run(tmp_path, few_photos, config, stop).fit()
    run(tmp_path, few_photos, config).fit(resume=True)
    logged = lines(tmp_path)
    losses = [(line["step"], line["loss"]) for line in logged if line["event"] == "step"]
    assert events(tmp_path, "loss") == [(step, pytest.approx(loss)) for step, loss in losses]
    accuracies = [(line["step"], line["test_accuracy"]) for line in logged if line["event"] == "epoch"]
    assert events(tmp_path, "test_accuracy") == [(step, pytest.approx(value)) for step, value in accuracies]


def test_a_finished_run_is_not_trained_again(tmp_path: Path, few_photos: ImageData) -> None:
    whole = run(tmp_path, few_photos, CONFIGS["sgd"])
    figures = whole.fit()
    before, shown = lines(tmp_path), events(tmp_path, "loss")
    again = run(tmp_path, few_photos, CONFIGS["sgd"], stop=1)
    assert again.fit(resume=True) == figures
    assert same(whole.model.state_dict(), again.model.state_dict())
    assert (before, shown) == (lines(tmp_path), events(tmp_path, "loss"))


def test_without_resume_a_run_starts_over(tmp_path: Path, few_photos: ImageData) -> None:
    with pytest.raises(Killed):
        run(tmp_path, few_photos, CONFIGS["sgd"], 4).fit()
    training = run(tmp_path, few_photos, CONFIGS["sgd"])
    training.fit()
    assert training.companions["counter"].state_dict()["steps"] == 10
    assert [line["step"] for line in lines(tmp_path) if line["event"] == "step"] == list(range(1, 11))


def test_a_full_disk_keeps_the_checkpoint_before(
    tmp_path: Path, few_photos: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(tmp_path / "whole", few_photos, CONFIGS["sgd"])
    whole.fit()
    training = run(tmp_path / "full", few_photos, CONFIGS["sgd"])
    write = Path.write_bytes

    def fill(path: Path, content: bytes) -> int:
        if training.checkpoint.exists():
            write(path, content[:1000])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fill)
        with pytest.raises(OSError, match="No space left on device") as caught:
            training.fit()
    assert caught.value.filename == str(training.checkpoint)
    assert [path.name for path in training.checkpoint.parent.iterdir()] == [training.checkpoint.name]
    again = run(tmp_path / "full", few_photos, CONFIGS["sgd"])
    again.fit(resume=True)
    assert same(whole.model.state_dict(), again.model.state_dict())
    assert lines(tmp_path / "whole") == lines(tmp_path / "full")


def test_the_evaluating_context_is_around_evaluations_only(tmp_path: Path, few_photos: ImageData) -> None:
    training = run(tmp_path, few_photos, CONFIGS["sgd"])
    entered: list[bool] = []

    class Evaluating:
        def __enter__(self) -> None:
            entered.append(training.model.training)

        def __exit__(self, *_: object) -> None:
            entered.append(training.model.training)

    replace(training, evaluating=Evaluating).fit()
    assert len(entered) == 4


@pytest.fixture
def stopped(tmp_path: Path, few_photos: ImageData) -> TrainingRun:
    """A run that was killed after a checkpoint; its folder is ``tmp_path``."""
    with pytest.raises(Killed):
        run(tmp_path, few_photos, CONFIGS["sgd"], 4).fit()
    return run(tmp_path, few_photos, CONFIGS["sgd"])


def test_other_settings_are_refused(stopped: TrainingRun) -> None:
    config = CONFIGS["sgd"].model_copy(update={"epochs": 3, "clip_norm": 1.0})
    with pytest.raises(
        MercuricError,
        match=r"dense-4.safetensors is of another run: training.clip_norm was None, now 1.0$",
    ):
        replace(stopped, config=config).fit(resume=True)


def test_another_number_of_examples_is_refused(stopped: TrainingRun) -> None:
    with pytest.raises(MercuricError, match=r"another run: training_examples was 44, now 40$"):
        replace(stopped, task=FewerExamples(stopped.task, 40)).fit(resume=True)


@pytest.mark.parametrize("names", [[], ["counter", "cycles"]])
def test_other_companions_are_refused(stopped: TrainingRun, names: list[str]) -> None:
    companions = {name: Counter() for name in names}
    expected = re.escape(f"another run: companions was ['counter'], now {names}")
    with pytest.raises(MercuricError, match=expected):
        replace(stopped, companions=companions).fit(resume=True)


def test_a_companion_s_refusal_names_the_checkpoint(stopped: TrainingRun) -> None:
    optimizer = make_optimizer(stopped.model, stopped.config)
    state = load_checkpoint(stopped.checkpoint, stopped.model, optimizer)
    state["companions"]["counter"]["steps"] = 11
    save_checkpoint(stopped.checkpoint, stopped.model, optimizer, state)
    with pytest.raises(MercuricError, match=r"dense-4.safetensors does not fit: steps was 11, but must be"):
        stopped.fit(resume=True)


def test_a_checkpoint_without_settings_is_refused(stopped: TrainingRun) -> None:
    optimizer = make_optimizer(stopped.model, stopped.config)
    save_checkpoint(stopped.checkpoint, stopped.model, optimizer, {"step": 3})
    with pytest.raises(MercuricError, match=r"holds no settings; remove it to start over"):
        stopped.fit(resume=True)


def test_a_finished_run_goes_on_for_more_epochs(tmp_path: Path, few_photos: ImageData) -> None:
    constant = CONFIGS["sgd"].model_copy(update={"schedule": "constant"})
    longer = constant.model_copy(update={"epochs": 4, "checkpoint_every": 7})
    whole = run(tmp_path / "whole", few_photos, longer)
    for training in (whole, run(tmp_path / "first", few_photos, constant)):
        training.companions["counter"].load_state_dict = lambda _: None  # type: ignore[method-assign]
        training.fit()
    resumed = run(tmp_path / "first", few_photos, longer)
    resumed.companions["counter"].load_state_dict = lambda _: None  # type: ignore[method-assign]
    resumed.fit(resume=True)
    assert same(whole.model.state_dict(), resumed.model.state_dict())
    assert lines(tmp_path / "whole") == lines(tmp_path / "first")
    with pytest.raises(MercuricError, match=r"holds 20 steps, but 2 epochs have 10; give more epochs$"):
        run(tmp_path / "first", few_photos, constant).fit(resume=True)


def test_a_diverged_run_says_so_again(tmp_path: Path, few_photos: ImageData) -> None:
    config = CONFIGS["sgd"].model_copy(
        update={"learning_rate": 1e30, "schedule": "constant", "checkpoint_every": 1}
    )
    with pytest.raises(Diverged, match=r"^the loss of the dense run with seed 4 became \w+ at step 2;"):
        run(tmp_path, few_photos, config).fit()
    before = lines(tmp_path)
    with pytest.raises(Diverged, match=r"was not finite at step 2; going on would give it again; try a lea"):
        run(tmp_path, few_photos, config).fit(resume=True)
    assert lines(tmp_path) == before
    with pytest.raises(Diverged, match="became"):
        run(tmp_path, few_photos, config).fit()


@pytest.mark.parametrize("back", [10**9, 10**18])
def test_a_clock_that_was_set_back_hides_no_step(
    tmp_path: Path, few_photos: ImageData, monkeypatch: pytest.MonkeyPatch, back: int
) -> None:
    with pytest.raises(Killed):
        run(tmp_path, few_photos, CONFIGS["sgd"], 4).fit()
    before = time.time_ns()
    monkeypatch.setattr("mercuric.training.events.time.time_ns", lambda: before - back)
    monkeypatch.setattr("mercuric.training.events.time.time", lambda: (before - back) / 1e9)
    run(tmp_path, few_photos, CONFIGS["sgd"]).fit(resume=True)
    logged = [(line["step"], line["loss"]) for line in lines(tmp_path) if line["event"] == "step"]
    assert events(tmp_path, "loss") == [(step, pytest.approx(loss)) for step, loss in logged]
    assert [step for step, _ in logged] == list(range(1, 11))
