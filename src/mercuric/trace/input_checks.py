"""Can this be simulated: a network, and inputs of it?"""

from collections.abc import Iterable, Mapping
from traceback import walk_tb
from typing import Any

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError, described
from mercuric.trace.forward_pass import Inputs

_FROM_ARRAY = "torch.from_numpy makes a tensor of an array"


def require_network(model: object) -> None:
    """Refuse what is no network, or one whose layers nobody can look into.

    Raises:
        ValueError: names the argument and its type.
    """
    if not isinstance(model, nn.Module):
        raise ArgumentError(f"model was {described(model)}, but must be an nn.Module")
    for name, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            where = f" in {name}" if name else ""
            raise ArgumentError(
                f"model was compiled to TorchScript{where}, but must be plain modules, whose layers can be "
                "told apart"
            )


def require_switch(name: str, value: object) -> None:
    """Refuse what is neither True nor False.

    Raises:
        ValueError: names the argument and what it was.
    """
    if not isinstance(value, bool):
        raise ArgumentError(f"{name} was {value!r}, but must be True or False")


def require_batches(batches: object) -> None:
    """Refuse one batch in the place of several: its examples would be taken for batches.

    Raises:
        ValueError: names the argument and its type.
    """
    if isinstance(batches, Tensor | Mapping | str) or not isinstance(batches, Iterable):
        raise ArgumentError(f"batches was {described(batches)}, but must be inputs one after the other")


def require_inputs(inputs: object) -> None:
    """Refuse inputs that no network of tensors reads.

    Raises:
        ValueError: they are neither a tensor nor a tuple, list or mapping that holds one, or hold none of
            any size.
    """
    if isinstance(inputs, Tensor):
        values: list[Any] = [inputs]
    elif isinstance(inputs, Mapping):
        values = list(inputs.values())
    elif isinstance(inputs, tuple | list):
        values = list(inputs)
    else:
        raise ArgumentError(
            f"inputs was {described(inputs)}, but must be a torch.Tensor, a tuple of positional or a dict of "
            "keyword arguments" + (f" ({_FROM_ARRAY})" if _is_array(inputs) else "")
        )
    arrays = [value for value in values if _is_array(value)]
    if arrays:
        raise ArgumentError(
            f"inputs held {described(arrays[0])}, but must hold torch.Tensors ({_FROM_ARRAY})"
        )
    tensors = [value for value in values if isinstance(value, Tensor)]
    if not tensors:
        raise ArgumentError("inputs held no torch.Tensor, but must hold at least one")
    if all(tensor.numel() == 0 for tensor in tensors):
        shape = tuple(tensors[0].shape)
        raise ArgumentError(f"inputs was of shape {shape}, but must hold at least one example")


def raised_by_torch(error: Exception) -> bool:
    """Whether one of PyTorch's own modules refused what it was given; not the network's code, nor memory."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    own = frames[-1].f_globals.get("__name__", "") if frames else ""
    return own.split(".")[0] == "torch" and not isinstance(error, torch.OutOfMemoryError)


def unreadable(inputs: Inputs, error: Exception) -> ArgumentError:
    """What is raised where a network's modules could not read its inputs."""
    if isinstance(inputs, Tensor):
        values: list[Any] = [inputs]
    else:
        values = list(inputs.values() if isinstance(inputs, Mapping) else inputs)
    shown = ", ".join(
        f"{str(one.dtype).removeprefix('torch.')} of {tuple(one.shape)}"
        for one in values
        if isinstance(one, Tensor)
    )
    said = " ".join(str(error).split())
    return ArgumentError(f"inputs was {shown}, but must be what the network reads: {said}")


def _is_array(value: object) -> bool:
    return type(value).__module__.split(".")[0] == "numpy"
