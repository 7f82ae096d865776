"""Images, filters and window grids of odd shapes, for the tests of the GPU's kernels."""

from dataclasses import dataclass

import torch
from hypothesis import assume
from hypothesis import strategies as st
from torch import Tensor

from mercuric.similarity.separable import SeparableProjection, separable_projection
from mercuric.similarity.window_grid import WindowGrid

DTYPES = st.sampled_from([torch.float32, torch.bfloat16, torch.float16])
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 2e-2, torch.float16: 2e-3}


@dataclass(frozen=True)
class Layer:
    """One convolution's shape, and what its operands are drawn from."""

    grid: WindowGrid
    channels: int
    filters: int
    dtype: torch.dtype
    seed: int

    def normal(self, device: torch.device, *shape: int) -> Tensor:
        """Of the layer's dtype; the same for the same shape."""
        generator = torch.Generator().manual_seed(self.seed)
        return torch.randn(shape, generator=generator).to(device, self.dtype)

    def images(self, device: torch.device) -> Tensor:
        """(N, H, W, C), of few kinds of pixels, so that windows are alike."""
        batch = self.grid.output[0]
        kinds = self.normal(device, 3, self.channels)
        kinds[0] = 0
        generator = torch.Generator().manual_seed(self.seed)
        chosen = torch.randint(0, 3, (batch, self.grid.height, self.grid.width), generator=generator)
        chosen[:, : self.grid.height // 2] = 0
        return kinds[chosen.to(device)]

    def weight(self, device: torch.device) -> Tensor:
        """(M, T, C)."""
        return self.normal(device, self.filters, self.grid.taps, self.channels)

    def gradient(self, device: torch.device) -> Tensor:
        """(Q, M)."""
        return self.normal(device, self.grid.windows, self.filters)

    def projection(self, bits: int) -> SeparableProjection:
        return separable_projection(self.channels, self.grid.taps, bits, self.seed)


@st.composite
def grids(draw: st.DrawFn) -> WindowGrid:
    height, width = draw(st.sampled_from([(5, 6), (4, 11), (1, 9), (3, 3)]))
    kernel = draw(st.sampled_from([(1, 1), (3, 3), (1, 3), (2, 2)]))
    stride, dilation = (
        draw(st.sampled_from([(1, 1), (2, 1), (1, 3)])),
        draw(st.sampled_from([(1, 1), (2, 1)])),
    )
    top, left, bottom, right = draw(st.tuples(*[st.integers(0, 2)] * 4))
    pads = (left, right, top, bottom)
    grid = WindowGrid.of(draw(st.integers(1, 3)), (height, width), kernel, stride, dilation, pads)
    assume(min(grid.output) > 0)
    return grid


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    channels, filters = draw(st.sampled_from([(1, 1), (3, 5), (17, 4), (8, 19)]))
    return Layer(draw(grids()), channels, filters, draw(DTYPES), draw(st.integers(0, 99)))


def first_of_kind(count: int, kinds: int, seed: int, device: torch.device) -> Tensor:
    """int32, (count,): each vector's first of the same of ``kinds`` labels."""
    labels = torch.randint(0, kinds, (count,), generator=torch.Generator().manual_seed(seed)).tolist()
    return torch.tensor([labels.index(label) for label in labels], dtype=torch.int32, device=device)
