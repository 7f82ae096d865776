"""How is a training run saved, so that a killed one goes on to the same weights?"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from mercuric.errors import MercuricError
from mercuric.files import replacing
from mercuric.tensors_apart import joined, parted

MODEL = "model."
OPTIMIZER = "optimizer."
STATE = "state"


def save_checkpoint(path: Path, model: nn.Module, optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Write weights, optimizer and ``state`` as one safetensors file, whole or not at all.

    Args:
        path: of the file.
        model: whose weights are written.
        optimizer: whose slots are written.
        state: of what JSON can hold, and tensors.

    Raises:
        OSError: it can't be written; the checkpoint that was there before is then still there.
    """
    tensors = {MODEL + name: tensor for name, tensor in model.state_dict().items()}
    scalars: dict[str, Any] = {}
    for index, slots in optimizer.state_dict()["state"].items():
        for slot, value in slots.items():
            if isinstance(value, Tensor):
                tensors[f"{OPTIMIZER}{index}.{slot}"] = value
            elif value is not None:
                scalars[f"{index}.{slot}"] = value
    text, beside = parted(state, STATE)
    tensors |= beside
    contiguous = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    metadata = {"state": json.dumps(text), "optimizer": json.dumps(scalars)}
    with replacing(path) as temporary:
        temporary.write_bytes(save(contiguous, metadata=metadata))


def load_checkpoint(path: Path, model: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """Read a checkpoint into ``model`` and ``optimizer``; returns its ``state``.

    Raises:
        MercuricError: the file is broken, or is of another network.
    """
    tensors, metadata = _read(path)
    try:
        state: dict[str, Any] = joined(json.loads(metadata["state"]), tensors)
        scalars = json.loads(metadata["optimizer"])
    except (KeyError, ValueError) as error:
        raise _broken(path, error) from None
    _fill(model, tensors, path)
    slots: dict[int, dict[str, Any]] = {}
    for name, value in [*tensors.items(), *((OPTIMIZER + key, v) for key, v in scalars.items())]:
        if name.startswith(OPTIMIZER):
            index, slot = name.removeprefix(OPTIMIZER).split(".", 1)
            slots.setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
    _lay_out(optimizer)
    return state


def _lay_out(optimizer: Optimizer) -> None:
    """Give each slot its parameter's memory format again: files hold none, and channels_last is faster."""
    for parameter, slots in optimizer.state.items():
        for slot, value in slots.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                slots[slot] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if path.is_dir():
        raise MercuricError(f"{path} is a folder, but must be a checkpoint, a file of its own")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except FileNotFoundError:
        raise MercuricError(f"there is no checkpoint {path}") from None
    except (SafetensorError, OSError) as error:
        raise _broken(path, error) from None


def _broken(path: Path, error: Exception) -> MercuricError:
    return MercuricError(f"the checkpoint {path} is broken ({error}); remove it to start over")


def _fill(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    weights = {name.removeprefix(MODEL): t for name, t in tensors.items() if name.startswith(MODEL)}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        difference = " ".join(str(error).split())[:300]
        raise MercuricError(f"the checkpoint {path} is of another network: {difference}") from None
