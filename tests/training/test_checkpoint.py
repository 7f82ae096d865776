from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from mercuric import zoo
from mercuric.data import ImageData
from mercuric.errors import MercuricError
from mercuric.training import load_weights
from mercuric.training.checkpoint import load_checkpoint, save_checkpoint


def network(channels: int = 3) -> nn.Module:
    return zoo.build("custom-cnn", 7, channels, 16)


def step(model: nn.Module, optimizer: Optimizer, images: ImageData) -> None:
    photos, labels = images.train.batch(torch.arange(8))
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(photos), labels).backward()
    optimizer.step()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoints" / "dense-0.safetensors"
    model = network()
    save_checkpoint(path, model, SGD(model.parameters(), 0.1), {"step": 3})
    return path


@pytest.mark.parametrize(
    "make",
    [lambda p: SGD(p, 0.1, momentum=0.9), lambda p: SGD(p, 0.1), lambda p: AdamW(p, 0.01)],
    ids=["momentum", "plain", "adamw"],
)
def test_weights_optimizer_and_state_come_back(tmp_path: Path, few_photos: ImageData, make: object) -> None:
    assert callable(make)
    model, other = network(), network()
    optimizer, its = make(model.parameters()), make(other.parameters())
    step(model, optimizer, few_photos)
    state = {"step": 7, "losses": [0.1, 1 / 3], "last": {}}
    save_checkpoint(tmp_path / "c.safetensors", model, optimizer, state)
    assert load_checkpoint(tmp_path / "c.safetensors", other, its) == state
    for one, two in ((model, optimizer), (other, its)):
        step(one, two, few_photos)
    for left, right in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(left, right)


def test_weights_alone(saved: Path) -> None:
    model = network()
    load_weights(saved, model)
    other = network()
    load_checkpoint(saved, other, SGD(other.parameters(), 0.1))
    for left, right in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(left, right)


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_truncated_file_is_named(saved: Path, kept: int) -> None:
    saved.write_bytes(saved.read_bytes()[:kept])
    model = network()
    with pytest.raises(MercuricError, match=f"the checkpoint {saved} is broken .*; remove it") as caught:
        load_checkpoint(saved, model, SGD(model.parameters(), 0.1))
    assert caught.value.exit_code == 2


def test_a_safetensors_file_without_a_state_is_refused(tmp_path: Path) -> None:
    model = network()
    save_file({"weight": torch.ones(2)}, tmp_path / "other.safetensors")
    with pytest.raises(MercuricError, match="is broken"):
        load_checkpoint(tmp_path / "other.safetensors", model, SGD(model.parameters(), 0.1))


def test_another_networks_weights_are_refused(saved: Path) -> None:
    with pytest.raises(
        MercuricError, match=r"is of another network: .*size mismatch for features\.0\.weight"
    ):
        load_weights(saved, network(channels=1))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MercuricError, match="there is no checkpoint"):
        load_weights(tmp_path / "none.safetensors", network())


def test_others_may_read_it(saved: Path) -> None:
    plain = saved.with_name("plain")
    plain.touch()
    assert saved.stat().st_mode == plain.stat().st_mode
