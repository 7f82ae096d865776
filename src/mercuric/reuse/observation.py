"""What does a reuse layer tell those who listen?"""

from collections.abc import Callable
from dataclasses import dataclass

from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap


@dataclass(frozen=True)
class Observation:
    """One forward pass through one layer.

    Attributes:
        layer: the layer's name in its model.
        shape: its input vectors.
        hitmap: what the MCACHE said of them; None while the layer is off.
        bits: signature length; 0 while the layer is off.
        needs_input_gradient: whether training computes the gradient of this layer's input.
    """

    layer: str
    shape: VectorShape
    hitmap: Hitmap | None
    bits: int
    needs_input_gradient: bool


Observer = Callable[[Observation], None]
