"""Does every edit of a saved state give a state that was meant, or one sentence?"""

import copy
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_run import draws
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mercuric import AdaptationConfig, Alike, CycleCost, Directions, ReuseConfig, ReuseHandle, reuse_, zoo
from mercuric.accelerator import CycleCounter
from mercuric.data import ImageData
from mercuric.errors import MercuricError
from mercuric.training import ClassificationTask, TrainingConfig, TrainingRun
from mercuric.training.metrics import read_lines

VALUES = st.sampled_from([
    None, True, False, 0, 1, -1, 5, 1.5, float("nan"), float("inf"), 10**30, 10**400, "x", "", "evil", [], {},
    [None], {"x": None}, {"tensor": "state.none"}, [[[[]]]],
])  # fmt: skip
ADAPTING = ReuseConfig(bits=10, adaptation=AdaptationConfig(patience=2, tolerance=0.9, stoppage=2))
DIRECTIONS = Directions(rank=2)
FUZZ = settings(
    deadline=None, max_examples=draws(200), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def edit(state: Any, data: st.DataObject) -> None:
    """One change somewhere: another value, one too few, one too many, or another name."""
    keys = list(state) if isinstance(state, dict) else list(range(len(state)))
    if not keys:
        return
    key = data.draw(st.sampled_from(keys))
    if isinstance(state[key], dict | list) and state[key] and data.draw(st.integers(0, 4)):
        edit(state[key], data)
        return
    what = data.draw(st.sampled_from(["other", "other", "less", "more", "renamed"]))
    if what == "less":
        del state[key]
    elif what == "other" or isinstance(state, list):
        state[key] = data.draw(VALUES)
    elif what == "more":
        state["evil"] = data.draw(VALUES)
    else:
        state["self"] = state.pop(key)


def trained(config: ReuseConfig) -> ReuseHandle:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 36, 8))
    handle = reuse_(model, config, cost=CycleCost("eyeriss-168") if isinstance(config, Alike) else None)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    for _ in range(5):
        loss = model(torch.randn(4, 3, 8, 8)).square().mean()
        loss.backward()
        optimizer.step()
        handle.step(loss.detach())
    return handle


def plain(state: Any) -> Any:
    return repr({**state, "layers": dict(sorted(state["layers"].items()))})


@pytest.mark.parametrize(
    "config", [ADAPTING, DIRECTIONS, ReuseConfig.fast(2, None)], ids=["adapts", "2", "fast"]
)
def test_edits_of_a_handle_s_state(config: ReuseConfig) -> None:
    handle = trained(config)
    saved = handle.state_dict()

    @FUZZ
    @given(st.data())
    def edited(data: st.DataObject) -> None:
        state = copy.deepcopy(saved)
        edit(state, data)
        before = plain(handle.state_dict())
        try:
            handle.load_state_dict(state)
        except ValueError as error:
            assert "\n" not in str(error)
            assert plain(handle.state_dict()) == before
        else:
            handle.state_dict()
            handle.report()
            handle.load_state_dict(saved)

    edited()


@pytest.mark.parametrize("basis", [
    torch.ones(3, 2), torch.ones(16), torch.ones(16, 17), torch.ones(16, 2, dtype=torch.int32),
    torch.full((16, 2), float("nan")), torch.ones(16, 0), 5, "x", [[1.0]],
], ids=str)  # fmt: skip
def test_broken_directions_change_nothing(basis: Any) -> None:
    handle = trained(DIRECTIONS)
    state, before = handle.state_dict(), plain(handle.state_dict())
    assert isinstance(state["layers"]["0"]["principal"]["basis"], Tensor)
    state["layers"]["0"]["principal"]["basis"] = basis
    state["layers"]["3"]["bits"] = 3
    with pytest.raises(ValueError, match=r"basis|principal"):
        handle.load_state_dict(state)
    assert plain(handle.state_dict()) == before


@pytest.mark.parametrize("state", [None, 5, "x", [], {}, {1: 2}])
def test_no_state_at_all(state: Any) -> None:
    with pytest.raises(ValueError, match=r"^the state of the handle "):
        trained(ADAPTING).load_state_dict(state)


Training = Callable[[], TrainingRun]


def training_in(folder: Path, few_photos: ImageData) -> TrainingRun:
    torch.manual_seed(0)
    model = zoo.build("custom-cnn", 7, 3, 16, 0.25)
    handle, counter = reuse_(model, ADAPTING), CycleCounter("eyeriss-168")
    handle.observe(counter.observe)
    config = TrainingConfig(epochs=2, batch_size=22, checkpoint_every=3)
    return TrainingRun(
        "reuse", 0, model, ClassificationTask(few_photos), config, folder,
        {"similarity": handle, "cycles": counter}, after_step=handle.step,
    )  # fmt: skip


@pytest.fixture(scope="module")
def in_the_middle(tmp_path_factory: pytest.TempPathFactory, few_photos: ImageData) -> Path:
    """The folder of a training that was left in the middle, with a checkpoint."""
    folder = tmp_path_factory.mktemp("middle")
    states = training_in(folder, few_photos).steps()
    assert [next(states).step for _ in range(4)] == [0, 1, 2, 3]
    next(states, None)
    states.close()
    return folder


@pytest.fixture
def training(tmp_path: Path, in_the_middle: Path, few_photos: ImageData) -> Training:
    """Makes the same training anew; its folder holds a checkpoint in the middle of it."""
    shutil.copytree(in_the_middle, tmp_path, dirs_exist_ok=True)
    return lambda: training_in(tmp_path, few_photos)


def start(training: TrainingRun) -> str | None:
    """The sentence that refuses to go on, if one does; nothing but a sentence is let through."""
    states = training.steps(resume=True)
    try:
        next(states)
    except MercuricError as error:
        assert "\n" not in str(error)
        return str(error)
    finally:
        states.close()
    return None


def rewritten(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata)


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def test_edits_of_a_checkpoint_s_state(training: Training) -> None:
    run = training()
    tensors, metadata = read(run.checkpoint)
    assert start(run) is None

    @settings(FUZZ, max_examples=draws(120))
    @given(st.data())
    def edited(data: st.DataObject) -> None:
        part = data.draw(st.sampled_from(["state", "state", "state", "optimizer", "tensors"]))
        content = {"whole": json.loads(metadata[part])}
        edit(content, data)
        text = json.dumps(content.get("whole", content)) if content else ""
        rewritten(run.checkpoint, tensors, {**metadata, part: text})
        start(run)

    edited()


@pytest.mark.parametrize("text", ["", "{", "5", "null", "[]", "[" * 100_000, '{"a":' * 900 + "1" + "}" * 900])
@pytest.mark.parametrize("part", ["state", "optimizer", "tensors"])
def test_a_header_of_another_kind(training: Training, part: str, text: str) -> None:
    run = training()
    tensors, metadata = read(run.checkpoint)
    rewritten(run.checkpoint, tensors, {**metadata, part: text})
    sentence = start(run)
    assert (sentence is None) == (part == "tensors" and text == "null")


WEIGHT, SLOT = "model.features.0.weight", "optimizer.0.momentum_buffer"


@pytest.mark.parametrize("change", [
    lambda t: t.pop(WEIGHT), lambda t: t.pop(SLOT), lambda t: t.update(evil=torch.ones(1)),
    lambda t: t.update({WEIGHT: t[WEIGHT].int()}), lambda t: t.update({WEIGHT: t[WEIGHT][:1]}),
    lambda t: t.update({SLOT: t[SLOT].int()}), lambda t: t.update({SLOT: t[SLOT][:1]}),
    lambda t: t.update({"optimizer.x.y": torch.ones(1)}),
    lambda t: t.update({"optimizer.99.y": torch.ones(1)}),
    lambda t: t.update({"model.evil": torch.ones(1)}),
])  # fmt: skip
@pytest.mark.parametrize("listed", [True, False])
def test_other_tensors_change_nothing(
    training: Training, change: Callable[[dict[str, Tensor]], object], listed: bool
) -> None:
    run = training()
    tensors, metadata = read(run.checkpoint)
    change(tensors)
    if not listed:
        metadata.pop("tensors")
    rewritten(run.checkpoint, tensors, metadata)
    before = {name: tensor.clone() for name, tensor in run.model.state_dict().items()}
    sentence = start(run)
    if listed or not sentence:
        assert (sentence is not None) == listed
    if sentence:
        assert all(torch.equal(before[name], now) for name, now in run.model.state_dict().items())


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_named_at_once(training: Training, make: Callable[[Path], None]) -> None:
    run = training()
    run.checkpoint.unlink()
    make(run.checkpoint)
    sentence = start(run)
    assert sentence is not None
    assert "but must be a checkpoint, a file of its own" in sentence


def test_edits_of_the_metrics(training: Training) -> None:
    run = training()
    path = run.folder / "metrics.jsonl"
    whole = path.read_text().splitlines()

    @FUZZ
    @given(st.data())
    def edited(data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(whole) - 1))
        line = json.loads(whole[place])
        edit(line, data)
        path.write_text("\n".join([*whole[:place], json.dumps(line), *whole[place + 1 :]]) + "\n")
        try:
            read_lines(path)
        except MercuricError as error:
            assert str(error).startswith(f"{path}: line {place + 1} is broken: ")

    edited()
