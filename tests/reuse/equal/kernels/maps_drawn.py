"""Maps of classes, images and windows of odd shapes, for the tests of kernels."""

from dataclasses import dataclass

import torch
from hypothesis import assume
from hypothesis import strategies as st
from torch import Tensor

from mercuric.reuse.equal.kernels import Window, image_classes, window_classes

DTYPES = (
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
    torch.uint8, torch.bool,
)  # fmt: skip


@st.composite
def maps(draw: st.DrawFn) -> Tensor:
    """int32 (N, H, W): of one class, of few, or all distinct."""
    shape = (draw(st.integers(0, 3)), draw(st.sampled_from([1, 2, 7])), draw(st.sampled_from([1, 3, 41])))
    kinds = draw(st.sampled_from([1, 2, 5, 0]))
    count = shape[0] * shape[1] * shape[2]
    if not kinds:
        return torch.arange(count, dtype=torch.int32).view(shape)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 999)))
    return torch.randint(0, kinds, shape, generator=generator, dtype=torch.int32)


@st.composite
def windows(draw: st.DrawFn, height: int, width: int) -> Window:
    """One that fits on a map of this size, with its padding."""
    sizes = st.tuples(st.integers(1, 4), st.integers(1, 4))
    window = Window(
        draw(sizes),
        draw(sizes),
        draw(st.tuples(*[st.integers(0, 3)] * 4)),
        draw(st.tuples(*[st.integers(1, 2)] * 2)),
    )
    above, below, left, right = window.padding
    assume(height + above + below > window.dilation[0] * (window.kernel[0] - 1))
    assume(width + left + right > window.dilation[1] * (window.kernel[1] - 1))
    return window


@dataclass(frozen=True)
class Layer:
    """Rows of a map and the windows on it.

    Attributes:
        rows: (R, C), float64.
        ids: (N, H, W), the class of each position.
        window: where the windows lie.
        members: (U, T), of each class of windows.
        window_ids: (N, H', W'), the class of each window.
    """

    rows: Tensor
    ids: Tensor
    window: Window
    members: Tensor
    window_ids: Tensor

    @property
    def images(self) -> Tensor:
        """(N, C, H, W), dense."""
        return self.rows[self.ids.long()].permute(0, 3, 1, 2)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    drawn = draw(maps())
    window = draw(windows(*drawn.shape[1:]))
    found = image_classes(drawn[:, None])
    assert found is not None
    over = window_classes(found.ids, window)
    assert over is not None
    generator = torch.Generator().manual_seed(draw(st.integers(0, 999)))
    channels = draw(st.sampled_from([1, 3, 18]))
    rows = torch.randn(found.classes, channels, generator=generator, dtype=torch.float64)
    return Layer(rows, found.ids, window, over.members, over.ids)
