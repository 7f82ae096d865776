"""Which words does a product read and write?"""

from dataclasses import dataclass
from typing import Literal

from mercuric.errors import ArgumentError
from mercuric.reuse.vectors import VectorShape

Tensor = Literal["inputs", "weights", "outputs"]


@dataclass(frozen=True)
class Words:
    """Words of a layer's three tensors, or how often their words are visited."""

    inputs: int
    weights: int
    outputs: int

    @property
    def total(self) -> int:
        """Words of the three together."""
        return self.inputs + self.weights + self.outputs


@dataclass(frozen=True)
class Operands:
    """The three tensors of a layer on a batch.

    Attributes:
        words: how large they are.
        fresh: elements in a row of an input vector that its neighbour before it had not; all of them
            where vectors don't overlap.
    """

    words: Words
    fresh: int


def operands(shape: VectorShape, inputs: int | None = None, fresh: int | None = None) -> Operands:
    """The tensors of a layer, from its input vectors.

    Args:
        shape: the input vectors.
        inputs: words of the input, each once; None: the vectors don't overlap.
        fresh: as in :class:`Operands`; None: the vectors don't overlap.

    Raises:
        ValueError: there are more ``inputs`` than the vectors have elements, or ``fresh`` is not from 1 to
            the elements of a row.
    """
    covered = shape.scopes * shape.vectors * shape.length
    if inputs is not None and not 0 <= inputs <= covered:
        raise ArgumentError(
            f"inputs was {inputs}, but must be from 0 to the {covered} elements of all vectors"
        )
    if fresh is not None and not 1 <= fresh <= shape.elements:
        raise ArgumentError(
            f"fresh was {fresh}, but must be from 1 to the {shape.elements} elements of a row of a vector"
        )
    words = Words(
        inputs=covered if inputs is None else inputs,
        weights=shape.scopes // max(shape.images, 1) * shape.length * shape.filters,
        outputs=shape.scopes // shape.depth * shape.vectors * shape.filters,
    )
    return Operands(words, shape.elements if fresh is None else fresh)
