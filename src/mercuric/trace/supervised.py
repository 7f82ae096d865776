"""Whose Hitmap does dO go by, and what is a batch whose gradient is wanted? (paper III-C2)"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from mercuric.trace.forward_pass import Inputs

Gradients = Literal["forward-hits", "own"]
"""``"forward-hits"``: dO goes by its layer's Hitmap of the forward pass, which is the gradient of what was
computed. ``"own"``: by that of gradient vectors, which a backward pass from labels and a loss makes."""


@dataclass(frozen=True)
class Supervised:
    """A batch with the loss of what a network makes of it: it has gradient vectors of its own.

    Attributes:
        inputs: of the network.
        loss: from the network's output to one number, that requires a gradient.
    """

    inputs: Inputs
    loss: Callable[[Any], Tensor]


def inputs_of(batch: "Inputs | Supervised") -> Inputs:
    """What the network reads of a batch."""
    return batch.inputs if isinstance(batch, Supervised) else batch
