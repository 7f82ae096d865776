"""How is a training run saved, so that a killed one goes on to the same weights?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from mercuric.errors import ArgumentError, MercuricError
from mercuric.files.reading import parse_json
from mercuric.files.regular import require_regular
from mercuric.files.tensors import joined, parted
from mercuric.files.writing import replacing
from mercuric.saved_state import SavedState, mapping

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
    metadata = {
        "state": json.dumps(text),
        "optimizer": json.dumps(scalars),
        "tensors": json.dumps(sorted(contiguous)),
    }
    with replacing(path) as temporary:
        temporary.write_bytes(save(contiguous, metadata=metadata))


class _Described(SavedState):
    """What a checkpoint's header says: the state, the optimizer's numbers, and which tensors there are."""

    state: dict[str, Any]
    optimizer: dict[str, float | int | bool | None]
    tensors: list[str] | None = None


def load_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: Optimizer,
    check: Callable[[dict[str, Any]], object] = lambda _: None,
) -> dict[str, Any]:
    """Read a checkpoint into ``model`` and ``optimizer``; returns its ``state``.

    Args:
        path: of the file.
        model: gets the weights.
        optimizer: gets the slots.
        check: called with the state before anything is changed; what it raises stops the reading.

    Raises:
        MercuricError: the file is broken, or is of another network; nothing has then changed.
    """
    tensors, metadata = _read(path)
    try:
        read = {
            key: parse_json(text, f"its {key}", infinite=True)
            for key, text in metadata.items()
            if key in _Described.model_fields
        }
        described = _Described.of(read, "the header")
        if described.tensors is not None and set(described.tensors) != tensors.keys():
            lost = sorted(set(described.tensors) ^ tensors.keys())
            raise ArgumentError(f"it lacks tensors, or has too many: {', '.join(lost[:4])}")
        state: dict[str, Any] = mapping(joined(described.state, tensors), STATE)
        slots = _slots(tensors, described.optimizer, optimizer)
    except ValueError as error:
        raise _broken(path, error) from None
    check(state)
    _fill(model, tensors, path)
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
    _lay_out(optimizer)
    return state


def _slots(
    tensors: dict[str, Tensor], scalars: dict[str, Any], optimizer: Optimizer
) -> dict[int, dict[str, Any]]:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    held = {name.removeprefix(OPTIMIZER): one for name, one in tensors.items() if name.startswith(OPTIMIZER)}
    slots: dict[int, dict[str, Any]] = {}
    for name, value in [*held.items(), *scalars.items()]:
        index, _, slot = name.partition(".")
        if not (index.isascii() and index.isdecimal() and len(index) < 9 and slot):
            raise ArgumentError(f"{name!r} names no slot of an optimizer")
        if int(index) >= len(parameters):
            raise ArgumentError(f"slot {name!r} is of a parameter that there is not")
        shape = parameters[int(index)].shape
        if isinstance(value, Tensor) and not (value.is_floating_point() and value.shape in (shape, ())):
            raise ArgumentError(f"slot {name!r} was {_form(value)}, but its parameter is {tuple(shape)}")
        slots.setdefault(int(index), {})[slot] = value
    if len({frozenset(held) for held in slots.values()}) > 1:
        raise ArgumentError("the parameters' slots of the optimizer differ")
    return slots


def _lay_out(optimizer: Optimizer) -> None:
    """Give each slot its parameter's memory format again: files hold none, and channels_last is faster."""
    for parameter, slots in optimizer.state.items():
        for slot, value in slots.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                slots[slot] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    require_regular(path, "a checkpoint")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except FileNotFoundError:
        raise MercuricError(f"there is no checkpoint {path}") from None
    except (SafetensorError, OSError, RuntimeError, ValueError, KeyError, AttributeError) as error:
        raise _broken(path, error) from None


def _broken(path: Path, error: Exception) -> MercuricError:
    return MercuricError(f"the checkpoint {path} is broken ({error}); remove it to start over")


def _fill(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    weights = {name.removeprefix(MODEL): t for name, t in tensors.items() if name.startswith(MODEL)}
    here = model.state_dict()
    differences = [f"{name} is missing" for name in here if name not in weights]
    differences += [f"{name} is not of it" for name in weights if name not in here]
    differences += [
        f"size mismatch for {name}: {_form(weight)}, but must be {_form(here[name])}"
        for name, weight in weights.items()
        if name in here and not _alike(weight, here[name])
    ]
    if differences:
        raise MercuricError(f"the checkpoint {path} is of another network: {'; '.join(differences)[:300]}")
    model.load_state_dict(weights)


def _alike(saved: Tensor, here: Tensor) -> bool:
    kinds = saved.dtype == here.dtype or (saved.is_floating_point() and here.is_floating_point())
    return kinds and saved.shape == here.shape


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
