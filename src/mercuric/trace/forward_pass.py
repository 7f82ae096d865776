"""How does a network run on a batch, and stay as it was?"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mercuric.reuse.modes import evaluating

Inputs = Tensor | tuple[Any, ...] | list[Any] | Mapping[str, Any]
"""A tensor, or positional arguments, or keyword arguments of a network."""


def infer(model: nn.Module, inputs: Inputs) -> None:
    """Run a batch in evaluation mode, without gradients."""
    with torch.no_grad(), evaluating(model):
        call(model, inputs)


def call(model: nn.Module, inputs: Inputs) -> Any:
    """Run a batch in whatever mode the model is; a layer that reads it needs no dO product."""
    if isinstance(inputs, Tensor):
        return model(_leaf(inputs))
    if isinstance(inputs, Mapping):
        return model(**{name: _leaf(value) for name, value in inputs.items()})
    return model(*map(_leaf, inputs))


def _leaf(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    return value.clone() if value.is_inference() else value.detach()


@contextmanager
def tracking_gradients(model: nn.Module) -> Iterator[None]:
    """Within the block, in evaluation mode, an input's ``requires_grad`` tells whether its layer needs dO.

    Gradients are on, whatever the caller's mode. With no trained parameter at all they would reach no layer:
    all are trained meanwhile.
    """
    with torch.inference_mode(False), torch.enable_grad(), evaluating(model), _trained(model):
        yield


@contextmanager
def _trained(model: nn.Module) -> Iterator[None]:
    parameters = [parameter for parameter in model.parameters() if parameter.is_floating_point()]
    if any(parameter.requires_grad for parameter in parameters):
        yield
        return
    for parameter in parameters:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(False)
