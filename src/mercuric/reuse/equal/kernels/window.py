"""Which positions of a map does a kernel cover, and where is it put?"""

from dataclasses import dataclass

from mercuric.errors import ArgumentError

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """A kernel's size and steps; rows come before columns.

    Attributes:
        kernel: its rows and columns.
        stride: from one window to the next.
        padding: zeros above, below, left and right of the map.
        dilation: from one tap of the kernel to the next.

    Raises:
        ValueError: a size or step under 1, or padding under 0.
    """

    kernel: Pair
    stride: Pair = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: Pair = (1, 1)

    def __post_init__(self) -> None:
        for name, least in (("kernel", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            sizes = getattr(self, name)
            if min(sizes) < least:
                raise ArgumentError(f"{name} was {sizes}, but must be at least {least} in every direction")

    @property
    def taps(self) -> int:
        """Positions that a window covers."""
        return self.kernel[0] * self.kernel[1]

    def output(self, height: int, width: int) -> Pair:
        """Rows and columns of windows on a map.

        Raises:
            ValueError: the map, with its padding, is smaller than the window.
        """
        above, below, left, right = self.padding
        padded = (height + above + below, width + left + right)
        spans = tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))
        if height < 1 or width < 1 or padded[0] < spans[0] or padded[1] < spans[1]:
            raise ArgumentError(
                f"the map was {height} x {width}, but with its padding must be at least {spans[0]} x "
                f"{spans[1]}, the size of the window"
            )
        return (padded[0] - spans[0]) // self.stride[0] + 1, (padded[1] - spans[1]) // self.stride[1] + 1

    def tiles(self) -> "tuple[Window, Window] | None":
        """Windows as windows of tiles, which lie side by side; None where they are none.

        A kernel of 8 x 8 that steps by 4 covers 2 x 2 tiles of 4 x 4, each of which four windows share.

        Returns:
            The tiles on the map, and the windows on the map of tiles.
        """
        sizes = tuple(zip(self.kernel, self.stride, strict=True))
        if self.stride == (1, 1) or any(self.padding) or self.dilation != (1, 1):
            return None
        if self.kernel == self.stride or any(kernel % step for kernel, step in sizes):
            return None
        down, across = (kernel // step for kernel, step in sizes)
        return Window(self.stride, self.stride), Window((down, across))
