"""What may a saved layer be: of which kind and sizes?"""

from dataclasses import fields
from typing import Annotated

from pydantic import Field

from mercuric.config import Config
from mercuric.errors import ArgumentError
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import VectorShape

SHAPE = tuple(field.name for field in fields(VectorShape))
OPTIONAL = tuple(field.name for field in fields(VectorShape) if field.default is None)
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
