"""Whose Hitmap does dO go by, and what does it take to have the gradient's own? (paper III-C2)"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError, described
from mercuric.trace.forward_pass import Inputs, call, tracking_gradients

Gradients = Literal["forward-hits", "own"]
"""``"forward-hits"``: dO goes by its layer's Hitmap of the forward pass, which is the gradient of what was
computed. ``"own"``: by that of gradient vectors, which a backward pass from labels and a loss makes."""


@dataclass(frozen=True)
class Supervised:
    """A batch with the loss of what a network makes of it: it has gradient vectors of its own.

    Attributes:
        inputs: of the network.
        loss: from the network's output to one number that depends on the network's parameters.
    """

    inputs: Inputs
    loss: Callable[[Any], Tensor]


def inputs_of(batch: Inputs | Supervised) -> Inputs:
    """What the network reads of a batch."""
    return batch.inputs if isinstance(batch, Supervised) else batch


def require_backward(gradients: Gradients, training: bool) -> None:
    """Refuse gradient vectors where there is no gradient.

    Raises:
        ValueError: ``gradients`` is ``"own"``, but no backward product is counted.
    """
    if gradients == "own" and not training:
        raise ArgumentError(
            "gradients was 'own', but must be 'forward-hits' for inference, which has no backward pass"
        )


def run_both_ways(model: nn.Module, batch: Supervised) -> None:
    """Run a batch forward and backward in evaluation mode; no parameter's ``grad`` changes.

    Raises:
        ValueError: the loss is no single number, or has no gradient.
    """
    with tracking_gradients(model):
        loss = batch.loss(call(model, batch.inputs))
        if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.requires_grad:
            shown = f"of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else described(loss)
            raise ArgumentError(
                f"loss was {shown}, but must be a tensor of one number, with a gradient towards the "
                "network's parameters"
            )
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        torch.autograd.grad(loss.sum(), trained, allow_unused=True)
