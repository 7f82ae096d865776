"""How are a network's weights read from a file, whoever wrote it?"""

import argparse
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from mercuric.errors import ArgumentError, MercuricError
from mercuric.files.regular import require_regular

INSIDE = ("state_dict", "model_state_dict", "model", "module", "network", "net", "weights")
"""Where other people's checkpoints keep a state dict, the first that is there."""
PREFIXES = ("module.", "model.", "network.", "net.")
"""What wrappers put before the names: DataParallel, Lightning modules and our own checkpoints."""
COMPILED = "_orig_mod."
"""What ``torch.compile`` puts into a name wherever a compiled module stands."""

_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
_DEEPEST, _FEW, _LONGEST = 3, 3, 200
_OBJECTS = ("Unsupported global", "unsupported GLOBAL", "Unsupported class", "TorchScript archives")
_MAY_BE_MISSING = "num_batches_tracked"


def load_weights(path: Path, model: nn.Module) -> None:
    """Read weights into ``model``: of our checkpoints, safetensors files and ``torch.save``'s state dicts.

    A state dict may lie inside a checkpoint, under one of :data:`INSIDE`; prefixes of wrappers are taken
    off its names. Only tensors are read, never code: whole pickled modules are refused.

    Raises:
        MercuricError: there is no such file, it holds no weights, or those of another network; ``model`` is
            then as it was.
    """
    require_regular(path, "a checkpoint")
    here = {name.replace(COMPILED, ""): name for name in model.state_dict()}
    weights = _unwrapped(_tensors(path), here)
    _require_fit(path, weights, {name: model.state_dict()[own] for name, own in here.items()})
    model.load_state_dict({here[name]: tensor for name, tensor in weights.items()}, strict=False)


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        with path.open("rb") as file:
            start = file.read(len(_ZIP))
        pickled = start == _ZIP or start[:1] == _PICKLE
        tensors = _state_dict(path) if pickled else load_file(path)
    except FileNotFoundError:
        raise MercuricError(f"there is no checkpoint {path}") from None
    except MercuricError:
        raise
    except Exception as error:  # an unpickler meets anything in a file, and raises as much
        told = str(error).partition("WeightsUnpickler error: ")
        reason = (
            " ".join((told[2] or told[0]).partition("Check the documentation")[0].split())[:_LONGEST]
            or type(error).__name__
        )
        raise MercuricError(
            f"{path} can't be read as weights, which are safetensors or a state dict of torch.save: {reason}"
        ) from None
    if not tensors:
        raise MercuricError(f"{path} holds no weights")
    return tensors


def _state_dict(path: Path) -> dict[str, Tensor]:
    try:
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that torch didn't write
            held: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        if any(said in str(error) for said in _OBJECTS):
            raise MercuricError(
                f"{path} holds a whole pickled module or other objects, whose opening may run any code; save "
                "the state dict alone: torch.save(model.state_dict(), PATH)"
            ) from None
        raise
    for _ in range(_DEEPEST):
        inner = [held[key] for key in INSIDE if isinstance(held, dict) and isinstance(held.get(key), dict)]
        held = inner[0] if inner else held
    if not isinstance(held, dict):
        raise ArgumentError(f"it holds a {type(held).__name__}")
    return {str(name): value for name, value in held.items() if isinstance(value, Tensor)}


def _unwrapped(tensors: Mapping[str, Tensor], here: Mapping[str, str]) -> dict[str, Tensor]:
    """The tensors by the network's names: without the prefixes that make most of them known."""
    tried = [{name.replace(COMPILED, ""): tensor for name, tensor in tensors.items()}]
    best = tried[0]

    def known(names: Mapping[str, Tensor]) -> tuple[int, int]:
        return len(names.keys() & here.keys()), -len(names)

    for _ in range(_DEEPEST):
        tried = [
            {name.removeprefix(prefix): one for name, one in names.items() if name.startswith(prefix)}
            for names in tried
            for prefix in PREFIXES
        ]
        best = max([best, *filter(None, tried)], key=known)
    return best


def _require_fit(path: Path, weights: Mapping[str, Tensor], here: Mapping[str, Tensor]) -> None:
    missing = [name for name in here if name not in weights and not name.endswith(_MAY_BE_MISSING)]
    foreign = [name for name in weights if name not in here]
    differing = [
        f"size mismatch for {name}: {_form(weight)}, but must be {_form(here[name])}"
        for name, weight in weights.items()
        if name in here and not _alike(weight, here[name])
    ]
    parts = [
        *_named("missing", missing),
        *_named("not of it", foreign),
        *_named("of another form", differing),
    ]
    if parts:
        raise MercuricError(f"the checkpoint {path} is of another network: {'; '.join(parts)}")


def _named(what: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return [f"{len(names)} {what} ({', '.join(names[:_FEW])}{more})"]


def _alike(saved: Tensor, here: Tensor) -> bool:
    kinds = saved.dtype == here.dtype or (saved.is_floating_point() and here.is_floating_point())
    plain = saved.layout == torch.strided and not saved.is_quantized
    return kinds and plain and saved.shape == here.shape


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
