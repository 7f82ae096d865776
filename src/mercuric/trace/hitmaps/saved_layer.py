"""What may a saved layer be: of which kind and sizes?"""

from dataclasses import fields
from typing import Annotated

from pydantic import Field

from mercuric.config import Config
from mercuric.errors import ArgumentError
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import VectorShape
from mercuric.trace.workload import Workload

SHAPE = tuple(field.name for field in fields(VectorShape))
OPTIONAL = tuple(field.name for field in fields(VectorShape) if field.default is None)
WORDS = ("inputs", "fresh")
"""What a workload says besides its vectors."""

MOST_MACS = 2**62
Size = Annotated[int, Field(ge=1, le=2**40)]


class SavedLayer(Config):
    """One layer's part of a file of Hitmaps.

    Attributes:
        layer: its name.
        kind: as :class:`~mercuric.trace.work.Work` has it.
        bits: of the signatures; 0 where none were computed.
        scopes, vectors, rows, elements, filters, images, depth, output_rows: see ``VectorShape``; files
            of versions before 0.7 have no output rows.
        inputs, fresh: see ``Workload``; None where nobody said it, and in files of versions before 0.7.
    """

    layer: str
    kind: Kind
    bits: Annotated[int, Field(ge=0, lt=2**15)]
    scopes: Size
    vectors: Size
    rows: Size
    elements: Size
    filters: Size
    images: Size
    depth: Size
    output_rows: Size | None = None
    inputs: Size | None = None
    fresh: Size | None = None

    def shape(self) -> VectorShape:
        """Its vectors.

        Raises:
            ValueError: they make more multiply-accumulates than 64 bits count.
        """
        shape = VectorShape(**{name: getattr(self, name) for name in SHAPE})
        if shape.macs > MOST_MACS:
            raise ArgumentError(
                f"layer {self.layer!r} has {shape.macs:.3g} multiply-accumulates, more than 2^62"
            )
        return shape

    def workload(self, shape: VectorShape, needs_input_gradient: bool) -> Workload | None:
        """The dense product with the words that it reads; None where they were not saved.

        Args:
            shape: of a batch; :meth:`shape`, or of fewer images.
            needs_input_gradient: as the workload has it.

        Raises:
            ValueError: there are more words than the vectors have elements, or fresh ones than a row has.
        """
        if self.inputs is None or self.fresh is None:
            return None
        elements = self.scopes * self.vectors * self.rows * self.elements
        if self.inputs > elements or self.fresh > self.elements:
            raise ArgumentError(
                f"inputs and fresh of layer {self.layer!r} were {self.inputs} and {self.fresh}, but must be "
                f"at most the {elements} elements of all vectors and the {self.elements} of a row"
            )
        inputs = self.inputs * shape.scopes * shape.vectors // (self.scopes * self.vectors)
        return Workload(self.layer, self.kind, shape, needs_input_gradient, inputs, self.fresh)
