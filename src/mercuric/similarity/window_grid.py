"""Which pixels do the windows of an image cover?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
        """What compiled kernels read, in the order of the attributes."""
        ends = [self.height, self.width, *self.kernel, *self.stride, *self.dilation, self.top, self.left]
        return np.array([*ends, *self.output], dtype=np.int64)
