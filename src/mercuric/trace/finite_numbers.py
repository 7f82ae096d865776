"""Are the numbers that a layer is counted by finite?"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.trace.recorder import recording

_OPERANDS = ("input", "query", "key", "value")


@contextmanager
def require_finite(model: nn.Module) -> Iterator[None]:
    """Within the block, no layer of ``model`` computes with NaN or infinity, in any dtype.

    Such a vector reuses nothing, and one NaN in a bias makes all that follow so: counts would say nothing of
    the network. Masks may hold infinities.

    Raises:
        ValueError: a parameter or an input of a layer holds NaN or infinity; within the block, at its call.
    """
    for name, parameter in model.named_parameters():
        layer, _, what = name.rpartition(".")
        _require(what, layer, parameter)
    layers = {
        name: module
        for name, module in model.named_modules()
        if any(True for _ in module.parameters(recurse=False))
    }
    with recording(layers, before=_check):
        yield


def _check(layer: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    operands = args[: 3 if isinstance(module, nn.MultiheadAttention) else 1]
    for value in (*operands, *(kwargs.get(name) for name in _OPERANDS)):
        if isinstance(value, Tensor):
            _require("input", layer, value)


def _require(what: str, layer: str, values: Tensor) -> None:
    floating = values.is_floating_point() or values.is_complex()
    if floating and not values.is_meta and not bool(torch.isfinite(values).all()):
        raise ArgumentError(
            f"{what} of layer {layer!r} was {values.dtype} with NaN or infinity, but a network must compute "
            "with finite numbers to be counted"
        )
