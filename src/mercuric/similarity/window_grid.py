"""Which pixels do the windows of an image cover?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

(
    HEIGHT, WIDTH, KERNEL_ROWS, KERNEL_COLUMNS, DOWN, ACROSS, DILATED_DOWN, DILATED_ACROSS, TOP, LEFT,
    IMAGES, ROWS, COLUMNS,
) = range(13)  # fmt: skip
"""Places in :attr:`WindowGrid.numbers`; ``DOWN`` and ``ACROSS`` are the stride."""


@dataclass(frozen=True)
class WindowGrid:
    """Which pixels the windows of images of one size cover.

    Attributes:
        height, width: of an image, in pixels.
        kernel, stride, dilation: rows and columns.
        top, left: rows and columns of zeros above and left of an image; what is right and below
            follows from ``output``.
        output: images, and rows and columns of windows.
    """

    height: int
    width: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    top: int
    left: int
    output: tuple[int, int, int]

    @classmethod
    def of(
        cls,
        images: int,
        sides: Sequence[int],
        kernel: Sequence[int],
        stride: Sequence[int],
        dilation: Sequence[int],
        pads: Sequence[int] = (0, 0, 0, 0),
    ) -> Self:
        """All windows of ``images`` images.

        Args:
            images: how many.
            sides: height and width of each.
            kernel, stride, dilation: rows and columns.
            pads: zeros left, right, above and below, as ``F.pad`` takes them.
        """
        left, right, above, below = pads
        padded = (sides[0] + above + below, sides[1] + left + right)
        rows, columns = (
            (side - d * (k - 1) - 1) // s + 1
            for side, k, s, d in zip(padded, kernel, stride, dilation, strict=True)
        )
        return cls(
            height=sides[0],
            width=sides[1],
            kernel=(kernel[0], kernel[1]),
            stride=(stride[0], stride[1]),
            dilation=(dilation[0], dilation[1]),
            top=above,
            left=left,
            output=(images, rows, columns),
        )

    @property
    def windows(self) -> int:
        """Windows of all images."""
        images, rows, columns = self.output
        return images * rows * columns

    @property
    def taps(self) -> int:
        """Pixels of a window."""
        return self.kernel[0] * self.kernel[1]

    @property
    def numbers(self) -> NDArray[np.int64]:
        """What compiled kernels read; :data:`HEIGHT` and the others say where what stands."""
        ends = [self.height, self.width, *self.kernel, *self.stride, *self.dilation, self.top, self.left]
        return np.array([*ends, *self.output], dtype=np.int64)
