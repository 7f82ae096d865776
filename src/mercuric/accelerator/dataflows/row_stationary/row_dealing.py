"""Which rows of an output does each PE set make, and what do the sets that would idle?

Eyeriss's own mapping (Y.-H. Chen et al., ISCA 2016, V-B, and JSSC 2017, IV-A): a PE set makes whole rows of
the output. More rows than sets are folded onto them; where there are fewer, the array holds several filters,
or several channels or images, side by side.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercuric.accelerator.dataflows.row_stationary.pe_sets import pe_sets
from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError
from mercuric.reuse.vectors import VectorShape

Counts = NDArray[np.int64]

_UNKNOWN = " (give them, save the Hitmaps anew, or choose dealing=vectors, which needs none)"


@dataclass(frozen=True)
class RowLayout:
    """How the rows of a layer's outputs lie on the array.

    Attributes:
        rows: of the output that a scope's vectors make.
        width: vectors in a row.
        sets: PE sets that a scope's rows go to in order, for one filter.
        scopes: side by side.
        room: filters that have room side by side.
    """

    rows: int
    width: int
    sets: int
    scopes: int
    room: int

    @classmethod
    def of(cls, accelerator: Accelerator, shape: VectorShape) -> "RowLayout":
        """The layout of a layer.

        Raises:
            ValueError: the array has fewer PEs than the window has rows, or the rows of the output aren't
                known, or are none.
        """
        rows, sets = _rows(shape), column_sets(accelerator, shape.rows)
        copies = max(1, sets // rows)
        scopes = min(copies, _alike(accelerator, shape))
        return cls(rows, shape.vectors // rows, min(rows, sets), scopes, copies // scopes)

    @property
    def owners(self) -> Counts:
        """The PE set of each vector of a scope, among those of its filter: int64, (vectors,)."""
        return np.repeat(np.arange(self.rows) % self.sets, self.width)

    def members(self, accelerator: Accelerator, shape: VectorShape) -> Counts:
        """The scopes that are side by side: int64, (groups, :attr:`scopes`); -1: none."""
        images = max(shape.images, 1)
        scopes = np.arange(shape.scopes, dtype=np.int64).reshape(images, -1)
        line = scopes.T if accelerator.replicated == "images" else scopes
        padded = np.pad(line, ((0, 0), (0, -line.shape[1] % self.scopes)), constant_values=-1)
        return padded.reshape(-1, self.scopes)


def column_sets(accelerator: Accelerator, rows: int) -> int:
    """PE sets for windows of ``rows`` rows, each within a column: sums go down it.

    A window that is taller than the array runs on in the next columns.

    Raises:
        ValueError: the array has fewer PEs than the window has rows.
    """
    if rows > accelerator.rows:
        return pe_sets(accelerator, rows)
    return accelerator.rows // rows * accelerator.columns


def _alike(accelerator: Accelerator, shape: VectorShape) -> int:
    """Scopes that may be side by side."""
    images = max(shape.images, 1)
    alike = {"filters": 1, "channels": shape.scopes // images, "images": images}
    return max(1, alike[accelerator.replicated])


def _rows(shape: VectorShape) -> int:
    rows = shape.output_rows
    if rows is None and not shape.vectors:
        return 1
    if not rows:
        raise ArgumentError(
            f"output_rows of a layer's vectors was {rows}, but must be at least 1 where dealing is 'rows': "
            f"they are what PE sets are dealt{_UNKNOWN if rows is None else ''}"
        )
    if shape.vectors % rows:
        raise ArgumentError(
            f"output_rows of a layer's vectors was {rows}, but must divide its {shape.vectors} vectors"
        )
    return rows
