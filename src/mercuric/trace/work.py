"""What is a dataflow asked to do?"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.reuse.observation import Kind, Observation
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import MCache
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


def observed_work(observation: Observation, cache: MCache | None = None) -> Work:
    """The product that a reuse layer told of, its Hitmap by the order of the input.

    Args:
        observation: what the layer told.
        cache: the MCACHE that its signatures were looked up in; where given, each signature's set is noted.

    Raises:
        ValueError: the Hitmap does not fit the shape.
    """
    sets = None if cache is None else _cache_sets(observation.signatures, cache)
    return Work(observation.shape, observation.hitmap, observation.bits, observation.kind, sets)


def _cache_sets(signatures: Tensor | None, cache: MCache) -> Tensor | None:
    if signatures is None or cache.sets is None:
        return None
    return (signatures if signatures.dim() == 2 else signatures[..., 0]) % cache.sets
