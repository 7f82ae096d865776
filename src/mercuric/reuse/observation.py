"""What does a reuse layer tell those who listen?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap

ObservedProduct = Literal["forward", "input_gradient"]
Kind = Literal["conv", "linear", "attention"]


@dataclass(frozen=True)
class Observation:
    """One product of one layer, as it was just computed.

    A forward observation stands for all three products of training (dO and dW go by the same Hitmap)
    unless the configuration says ``backward="signature"``: then the backward pass tells a second one,
    of the gradient vectors.

    Attributes:
        layer: the layer's name in its model.
        shape: the product's input vectors.
        hitmap: what the MCACHE said of them; None while the layer is off.
        bits: signature length; 0 while the layer is off, and where saved signatures were used again.
        needs_input_gradient: whether dO is computed by this Hitmap as well.
        product: ``"forward"``, or ``"input_gradient"`` for the gradient vectors of dO.
        zero: bool, (scopes, vectors): which vectors are all zeros; None while the layer is off.
        kind: what the layer is.
        signatures: int64, (scopes, vectors) or (scopes, vectors, 2): what was looked up in the MCACHE;
            None while the layer is off.
        context: int64, (scopes, vectors): what had to be equal besides, and negative for a vector that isn't
            finite; None for nothing.
    """

    layer: str
    shape: VectorShape
    hitmap: Hitmap | None
    bits: int
    needs_input_gradient: bool
    product: ObservedProduct = "forward"
    zero: Tensor | None = None
    kind: Kind = "conv"
    signatures: Tensor | None = None
    context: Tensor | None = None

    @property
    def reloaded(self) -> bool | None:
        """Whether the following layer's signatures served gradient vectors; None: nothing says it."""
        return None if self.product == "forward" or self.hitmap is None else not self.bits


Observer = Callable[[Observation], None]
