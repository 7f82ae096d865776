"""Weights are read as people save them, and a wrong file is named for what it is."""

import argparse
import os
import pickle
import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import SGD

from mercuric.errors import MercuricError
from mercuric.training import load_weights
from mercuric.training.checkpoint import save_checkpoint


def network(seed: int = 0, width: int = 4) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(width, 5))


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in state.items()}


def loaded(path: Path) -> dict[str, Tensor]:
    model = network(seed=1)
    load_weights(path, model)
    return model.state_dict()


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


HELD: dict[str, Callable[[dict[str, Tensor]], Any]] = {
    "a state dict": lambda state: state,
    "DataParallel": lambda state: prefixed(state, "module."),
    "compiled": lambda state: prefixed(state, "_orig_mod."),
    "compiled in DDP": lambda state: prefixed(state, "module._orig_mod."),
    "DDP in compiled": lambda state: prefixed(state, "_orig_mod.module."),
    "Lightning": lambda state: {"state_dict": prefixed(state, "model."), "epoch": 3, "global_step": 7},
    "compiled in Lightning": lambda state: {"state_dict": prefixed(state, "model._orig_mod.")},
    "Lightning with a loss": lambda state: {
        "state_dict": {**prefixed(state, "net."), "loss.weight": torch.ones(5)}
    },
    "ImageNet's example": lambda state: {
        "epoch": 9, "arch": "x", "state_dict": prefixed(state, "module."), "best_acc1": torch.tensor(1.0),
        "optimizer": {"state": {0: {"momentum_buffer": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]},
    },
    "with arguments": lambda state: {"model": state, "args": argparse.Namespace(lr=0.1)},
    "model_state_dict": lambda state: {"model_state_dict": state, "loss": 0.3},
    "nested": lambda state: {"model": {"state_dict": state}},
    "half": lambda state: {
        name: one.half() if one.is_floating_point() else one for name, one in state.items()
    },
    "without a count of batches": lambda state: {
        name: one for name, one in state.items() if not name.endswith("num_batches_tracked")
    },
}  # fmt: skip


@pytest.mark.parametrize("form", HELD)
@pytest.mark.parametrize("zipped", [True, False])
def test_state_dicts_of_torch_save(tmp_path: Path, form: str, zipped: bool) -> None:
    state = {
        name: one.half().float() if one.is_floating_point() else one
        for name, one in network().state_dict().items()
    }
    path = tmp_path / "weights.pth"
    torch.save(HELD[form](state), path, _use_new_zipfile_serialization=zipped)
    assert same(loaded(path), state)


@pytest.mark.parametrize("prefix", ["", "model.", "module.", "_orig_mod.", "model._orig_mod."])
def test_safetensors(tmp_path: Path, prefix: str) -> None:
    state = network().state_dict()
    save_file(prefixed(state, prefix), tmp_path / "weights.bin")
    assert same(loaded(tmp_path / "weights.bin"), state)


def test_a_training_s_checkpoint(tmp_path: Path) -> None:
    model = network()
    save_checkpoint(
        tmp_path / "c.safetensors", model, SGD(model.parameters(), 0.1, momentum=0.9), {"step": 3}
    )
    assert same(loaded(tmp_path / "c.safetensors"), model.state_dict())


def test_into_a_compiled_layer(tmp_path: Path) -> None:
    state = network().state_dict()
    torch.save(state, tmp_path / "w.pt")
    model = network(seed=1)
    model[0] = torch.compile(model[0])  # type: ignore[operator]
    load_weights(tmp_path / "w.pt", model)
    assert same({name.replace("_orig_mod.", ""): one for name, one in model.state_dict().items()}, state)


class Runs:
    """Opening its pickle would touch a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("zipped", [True, False])
def test_whole_modules_are_refused_and_run_nothing(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "whole.pth"
    for held in (
        network(),
        {"model": network()},
        {"state_dict": network().state_dict(), "x": Runs(tmp_path / "ran")},
    ):
        torch.save(held, path, _use_new_zipfile_serialization=zipped)
        with pytest.raises(
            MercuricError, match=f"{path} holds a whole pickled module or other objects.*; save the"
        ):
            load_weights(path, network())
    assert not (tmp_path / "ran").exists()
    torch.jit.script(network()).save(str(path))
    with pytest.raises(MercuricError, match="holds a whole pickled module"):
        load_weights(path, network())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("3.bias"), r"1 missing \(3.bias\)"),
        (
            lambda state: [state.pop(name) for name in list(state)[1:]],
            r"7 missing \(0.bias, 1.weight, 1.bias and 4 more",
        ),
        (lambda state: state.update({"4.weight": torch.ones(1)}), r"1 not of it \(4.weight\)"),
        (
            lambda state: state.update({"3.bias": torch.ones(7)}),
            r"size mismatch for 3.bias: float32 \(7,\), but must be float32 \(5,\)",
        ),
        (
            lambda state: state.update({"3.bias": torch.ones(5, dtype=torch.int32)}),
            r"size mismatch for 3.bias: int32 \(5,\), but must be float32 \(5,\)",
        ),
        (lambda state: state.update({"3.bias": torch.ones(5).to_sparse()}), "mismatch for 3.bias"),
        (lambda state: state.update({"3.bias": torch.ones(5, dtype=torch.complex64)}), "complex64"),
    ],
)
def test_what_differs_is_named_and_counted(
    tmp_path: Path, change: Callable[[dict[str, Tensor]], object], said: str
) -> None:
    state = dict(network().state_dict())
    change(state)
    torch.save(state, tmp_path / "w.pth")
    model = network(seed=1)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(MercuricError, match=rf"the checkpoint .*w.pth is of another network: .*{said}"):
        load_weights(tmp_path / "w.pth", model)
    assert same(before, model.state_dict())


def other_files(folder: Path) -> dict[str, bytes]:
    torch.save(network().state_dict(), folder / "whole.pth")
    save_file(network().state_dict(), folder / "whole.safetensors")
    return {
        "empty": b"",
        "text": b"hello, I am a text",
        "page": b"<!DOCTYPE html><html></html>",
        "number": pickle.dumps(5),
        "list": pickle.dumps([1, 2]),
        "cut.pth": (folder / "whole.pth").read_bytes()[:-300],
        "cut.safetensors": (folder / "whole.safetensors").read_bytes()[:-30],
        "archive": b"PK\3\4" + bytes(100),
        "hdf": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "long header": b"\xff" * 100,
    }


def test_another_file_is_said_to_be_none_and_never_to_be_removed(tmp_path: Path) -> None:
    for name, content in other_files(tmp_path).items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(
            MercuricError, match=f"{path} (can't be read as weights|holds no weights)"
        ) as raised:
            load_weights(path, network())
        assert "remove" not in str(raised.value)
        assert "broken" not in str(raised.value)
        assert "\n" not in str(raised.value)
        assert path.read_bytes() == content


def test_what_is_no_file_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "device").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
    for name, kind in {
        "pipe": "pipe",
        "folder": "folder",
        "device": "device",
        "socket": "socket",
    }.items():
        with pytest.raises(
            MercuricError, match=f"{name} is a {kind}, but must be a checkpoint, a file of its own"
        ):
            load_weights(tmp_path / name, network())


@given(seed=st.integers(0, 2**32 - 1), zipped=st.booleans())
@settings(max_examples=60, deadline=None)
def test_damage_is_one_sentence(tmp_path_factory: pytest.TempPathFactory, seed: int, zipped: bool) -> None:
    drawn = random.Random(seed)
    path = tmp_path_factory.mktemp("damaged") / "w.pth"
    torch.save({"model": network().state_dict()}, path, _use_new_zipfile_serialization=zipped)
    stored = bytearray(path.read_bytes())
    for _ in range(drawn.randint(1, 6)):
        stored[drawn.randrange(min(len(stored), 1500))] = drawn.randrange(256)
    path.write_bytes(stored)
    try:
        load_weights(path, network())
    except MercuricError as refused:
        assert "\n" not in str(refused)
