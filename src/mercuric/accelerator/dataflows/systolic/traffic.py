"""Which words does a systolic array move for one product?"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mercuric.accelerator.dataflows.traffic import Counts, DotProducts
from mercuric.accelerator.hardware import Accelerator


@dataclass(frozen=True)
class MatrixProduct:
    """One product a scope, or a convolution group: (vectors x length) times (length x filters).

    Attributes:
        vectors: (products,): rows of each.
        length: elements of a dot product.
        filters: columns.
        rows: of the array.
        columns: of the array.
    """

    vectors: Counts
    length: int
    filters: int
    rows: int
    columns: int

    @classmethod
    def of(cls, accelerator: Accelerator, computed: DotProducts) -> Self:
        """The matrix products that compute these dot products."""
        shape, vectors, length = computed.shape, computed.vectors, computed.shape.length
        if computed.whole:
            length *= shape.depth
            vectors = np.full(shape.groups, shape.images * shape.vectors)
        return cls(vectors, length, shape.filters, accelerator.rows, accelerator.columns)

    @property
    def streamed(self) -> int:
        """Vectors of all products."""
        return int(self.vectors.sum())

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all products."""
        return self.streamed * self.length * self.filters

    @property
    def folds(self) -> int:
        """Folds that a dot product is cut into."""
        return -(-self.length // self.rows)

    @property
    def wide(self) -> int:
        """Folds that the filters are cut into."""
        return -(-self.filters // self.columns)

    def tall(self, places: int) -> int:
        """Folds that the vectors of all products are cut into, ``places`` of them side by side."""
        return int((-(-self.vectors // places)).sum())
