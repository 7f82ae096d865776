"""Are signatures of windows read in place those of a convolution, and of unfolded windows?"""

from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mercuric.similarity import random_projection, reference_signatures, signatures
from mercuric.similarity.rpq import ALONE, pack, reference_sizes, window_signatures

BEYOND = [float("nan"), float("inf"), float("-inf"), 3e38, -3e38]


@dataclass(frozen=True)
class Geometry:
    """Kernel, stride and dilation, rows first."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)

    def unfold(self, images: Tensor, groups: int) -> Tensor:
        """(groups, Q, elements of a group), images first, from PyTorch's own unfold."""
        unfolded = F.unfold(images, self.kernel, dilation=self.dilation, stride=self.stride)
        count, positions = unfolded.shape[0], unfolded.shape[2]
        split = unfolded.view(count, groups, -1, positions).permute(1, 0, 3, 2)
        return split.reshape(groups, count * positions, -1)

    def read(
        self, images: Tensor, projection: Tensor, groups: int, magnitude: int | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """What ``window_signatures`` says of the same windows."""
        _, channels, height, width = images.shape
        places = torch.arange(images.numel()).view(images.shape)[:, 0]
        for axis in (0, 1):
            span = self.dilation[axis] * (self.kernel[axis] - 1) + 1
            size = (height, width)[axis]
            index = torch.arange(0, size - span + 1, self.stride[axis])
            places = places.index_select(axis + 1, index)
        rows = torch.arange(self.kernel[0]) * self.dilation[0] * width
        columns = torch.arange(self.kernel[1]) * self.dilation[1]
        taps = (rows[:, None] + columns).flatten()
        flat = images.reshape(-1)
        assert channels % groups == 0
        return window_signatures(flat, places.flatten(), height * width, taps, projection, groups, magnitude)


@pytest.mark.parametrize("bits", [1, 20, 64, 128])
@pytest.mark.parametrize("patch", [False, True])
def test_a_signature_is_the_sign_of_a_convolution(photographs: Tensor, bits: int, patch: bool) -> None:
    """Paper III-B: the projection's columns, reshaped, are filters."""
    images = photographs[:2].double()
    span, groups = (3, 1) if patch else (1, 3)
    projection = random_projection(span * 9, bits)
    filters = projection.double().T.reshape(bits, span, 3, 3)
    convolved = F.conv2d(images.view(-1, span, 32, 32), filters)
    assert convolved.abs().min() > 1e-9  # no sign hangs on the order of additions
    expected = pack((convolved < 0).permute(0, 2, 3, 1))

    unfolded = Geometry((3, 3)).unfold(images, groups)
    by_group = expected.view(2, groups, 900, *expected.shape[3:]).transpose(0, 1)
    by_group = by_group.reshape(groups, 1800, *expected.shape[3:])
    assert torch.equal(signatures(unfolded, projection), by_group)
    found, zero, sizes = Geometry((3, 3)).read(images, projection, groups)
    assert torch.equal(found, by_group)
    assert not zero.any()
    assert sizes is None


@st.composite
def geometries(draw: st.DrawFn) -> tuple[Geometry, Tensor, Tensor, int]:
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
    geometry = Geometry(draw(pairs), draw(pairs), draw(pairs))
    groups, span = draw(st.sampled_from([(1, 1), (1, 3), (3, 1), (2, 2), (4, 1)]))
    sides = draw(st.tuples(st.sampled_from([7, 8, 41]), st.sampled_from([7, 12, 41])))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    images = torch.randn(draw(st.integers(1, 3)), groups * span, *sides, generator=generator)
    images = images.round() if draw(st.booleans()) else images  # with whole windows of zeros
    images[:, :, : sides[0] // 2] *= draw(st.sampled_from([0.0, 1.0]))
    for value in draw(st.lists(st.sampled_from(BEYOND), max_size=3)):
        images[tuple(draw(st.integers(0, size - 1)) for size in images.shape)] = value
    projection = random_projection(span * geometry.kernel[0] * geometry.kernel[1], draw(st.integers(1, 128)))
    images = images.to(draw(st.sampled_from([torch.float32, torch.float64])))
    # Squares of huge finite numbers: products of what is finite overflow.
    images = images * images.abs() if draw(st.booleans()) and images.dtype == torch.float64 else images
    images = images * 1e232 if draw(st.booleans()) and images.dtype == torch.float64 else images
    return geometry, images, projection, groups


@settings(max_examples=100, deadline=None)
@given(geometries(), st.none() | st.integers(0, 8))
def test_windows_read_in_place_are_the_unfolded_ones(
    drawn: tuple[Geometry, Tensor, Tensor, int], magnitude: int | None
) -> None:
    geometry, images, projection, groups = drawn
    vectors = geometry.unfold(images, groups)
    found, zero, sizes = geometry.read(images, projection, groups, magnitude)
    assert torch.equal(found, reference_signatures(vectors, projection))
    expected = reference_sizes(vectors, projection, magnitude)
    if magnitude is None and bool((expected == 0).all()):
        assert sizes is None
    else:
        assert torch.equal(sizes, expected)
    holds_a_number = vectors.isfinite().all(-1)
    assert bool((expected[~holds_a_number] == ALONE).all())
    if images.dtype == torch.float32:
        assert bool((expected[holds_a_number] != ALONE).all())
    assert torch.equal(zero, (vectors == 0).all(-1))


def test_no_windows() -> None:
    nothing = torch.empty(0, dtype=torch.int64)
    found, zero, _ = window_signatures(torch.ones(9), nothing, 1, torch.zeros(1).long(), torch.ones(9, 70), 1)
    assert (found.shape, zero.shape) == ((1, 0, 2), (1, 0))
