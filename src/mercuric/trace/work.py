"""What is a dataflow asked to do?"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from mercuric.accelerator.count.arrival import arriving_hitmap
from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError
from mercuric.reuse.observation import Kind, Observation
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap

Product = Literal["forward", "input_gradient", "weight_gradient"]
"""Outputs; dO, the gradient of the layer's input; dW, the gradient of its weight."""


@dataclass(frozen=True)
class Work:
    """A layer's input vectors, and what the MCACHE said of them.

    Attributes:
        shape: the vectors.
        hitmap: (``shape.scopes``, ``shape.vectors``); None where reuse is off.
        bits: length of the signatures that are computed; 0 where saved ones are used again.
        kind: fully connected layers and attention are laid out otherwise than convolutions (paper
            III-C3, III-C4).
        cache_sets: int64, (scopes, vectors): the MCACHE set that each signature is looked up in; None
            where that isn't known, or sets are unlimited.

    Raises:
        ValueError: the Hitmap does not fit the shape, or ``bits`` is negative.
    """

    shape: VectorShape
    hitmap: Hitmap | None = None
    bits: int = 0
    kind: Kind = "conv"
    cache_sets: Tensor | None = None

    def __post_init__(self) -> None:
        if self.bits < 0:
            raise ArgumentError(f"bits was {self.bits}, but must be 0 (no signature is computed) or more")
        if self.hitmap is None:
            return
        expected, states = (self.shape.scopes, self.shape.vectors), self.hitmap.states
        if tuple(states.shape) != expected or states.dtype != torch.uint8:
            raise ArgumentError(
                f"states was {states.dtype} of shape {tuple(states.shape)}, but must be torch.uint8 of shape "
                f"{expected} (scopes, vectors)"
            )


def observed_work(observation: Observation, accelerator: Accelerator) -> Work:
    """What the accelerator does for an observed product, all that is known of it.

    The Hitmap is the observed one, looked up again where signatures arrive in another order.

    Raises:
        ValueError: the observation's Hitmap does not fit its shape, or the accelerator's ``arrival``
            needs signatures that the observation doesn't have.
    """
    return replace(_without_sets(observation, accelerator), cache_sets=_cache_sets(observation, accelerator))


def counted_work(observation: Observation, accelerator: Accelerator) -> Work:
    """As :func:`observed_work`, but for counting alone: cache sets are there where queues need them.

    They would take most of the time that a training step is counted in.
    """
    if accelerator.insertion_queue is not None:
        return observed_work(observation, accelerator)
    return _without_sets(observation, accelerator)


def _without_sets(observation: Observation, accelerator: Accelerator) -> Work:
    hitmap = arriving_hitmap(observation, accelerator)
    return Work(observation.shape, hitmap, observation.bits, observation.kind)


def _cache_sets(observation: Observation, accelerator: Accelerator) -> Tensor | None:
    signatures, sets = observation.signatures, accelerator.mcache.sets
    if signatures is None or sets is None:
        return None
    return (signatures if signatures.dim() == 2 else signatures[..., 0]) % sets
