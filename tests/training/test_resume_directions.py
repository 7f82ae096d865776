"""A training in principal directions that was killed goes on to the weights of one that was not."""

from pathlib import Path
from typing import Any

import pytest
import torch

from mercuric import zoo
from mercuric.data import ImageData
from mercuric.errors import MercuricError
from mercuric.files.tensors import joined, parted
from mercuric.reuse import ReuseConfig, ReuseHandle, reuse_
from mercuric.training import ClassificationTask, TrainingConfig, TrainingRun

ALWAYS = ReuseConfig.fast(0.5).model_copy(update={"keep": "always"})
CONFIG = TrainingConfig(epochs=2, batch_size=8, learning_rate=0.02, checkpoint_every=3)


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


def run(
    folder: Path, images: ImageData, reuse: ReuseConfig = ALWAYS, stop: int | None = None
) -> tuple[TrainingRun, ReuseHandle]:
    torch.manual_seed(4)
    model = zoo.build("custom-cnn", 7, 3, 16)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    handle = reuse_(model, reuse)

    def progress(step: int, _total: int, _what: str) -> None:
        if step == stop:
            raise Killed

    training = TrainingRun(
        "reuse", 4, model, ClassificationTask(images), CONFIG, folder, {"directions": handle},
        evaluating=handle.uncounted, after_step=handle.step, progress=progress,
    )  # fmt: skip
    return training, handle


def ranks(handle: ReuseHandle) -> list[int]:
    return [int(rank) for rank in handle.report()["rank"]]


@pytest.mark.parametrize("refresh", [None, 4])
def test_a_killed_training_in_directions_goes_on_to_the_same_weights(
    tmp_path: Path, few_photos: ImageData, refresh: int | None
) -> None:
    config = ALWAYS.model_copy(update={"refresh": refresh})
    whole, kept = run(tmp_path / "whole", few_photos, config)
    figures = whole.fit()
    assert max(ranks(kept)) > 0, "some layer computes in directions"
    for stop in (4, 8):
        with pytest.raises(Killed):
            run(tmp_path / "killed", few_photos, config, stop)[0].fit(resume=True)
    resumed, handle = run(tmp_path / "killed", few_photos, config)
    after = resumed.fit(resume=True)
    assert {**after, "seconds": 0} == {**figures, "seconds": 0}
    expected, found = whole.model.state_dict(), resumed.model.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert handle.report().equals(kept.report())
    bases = [layer.principal.directions for layer in handle.layers.values()]
    assert any(one is not None and one.basis.dtype == torch.float32 for one in bases)


def test_layers_that_were_measured_are_not_measured_again(tmp_path: Path, few_photos: ImageData) -> None:
    faster = ReuseConfig.fast(0.5)
    training, handle = run(tmp_path, few_photos, faster, stop=7)
    with pytest.raises(Killed):
        training.fit()
    saved, resumed = handle.report(), run(tmp_path, few_photos, faster)
    resumed[0].fit(resume=True)
    after = resumed[1].report()
    for column in ("on", "rank", "dense_ms", "reuse_ms"):
        assert after[column].equals(saved[column])


def test_a_state_without_its_directions_is_refused(tmp_path: Path, few_photos: ImageData) -> None:
    training, handle = run(tmp_path, few_photos)
    state = handle.state_dict()
    for layer in state["layers"].values():
        del layer["principal"]
    with pytest.raises(ValueError, match="principal of the layers was not saved"):
        handle.load_state_dict(state)
    training.fit()
    other, _ = run(tmp_path, few_photos, ReuseConfig.fast(0.25))
    with pytest.raises(MercuricError, match="does not fit"):
        other.fit(resume=True)


def test_a_state_from_before_directions_loads(few_photos: ImageData) -> None:
    handle = reuse_(zoo.build("custom-cnn", 7, few_photos.channels, 16), ReuseConfig(adaptation=None))
    state = handle.state_dict()
    del state["timed_steps"]
    for layer in state["layers"].values():
        del layer["milliseconds"]
        layer["bits"] = 12
    handle.load_state_dict(state)
    assert {layer.bits for layer in handle.layers.values()} == {12}


def test_tensors_are_taken_apart_and_joined_again() -> None:
    basis = torch.randn(3, 2)
    state: dict[str, Any] = {"layers": {"a.0": {"basis": basis, "on": True}, "b": [None, 1.5, "x", basis]}}
    text, tensors = parted(state, "state")
    assert text["layers"]["a.0"] == {"basis": {"tensor": "state.layers.a.0.basis"}, "on": True}
    assert set(tensors) == {"state.layers.a.0.basis", "state.layers.b.3"}
    again = joined(text, tensors)
    assert again["layers"]["b"][:3] == [None, 1.5, "x"] and again["layers"]["b"][3] is basis
    with pytest.raises(ValueError, match="is missing"):
        joined(text, {})
