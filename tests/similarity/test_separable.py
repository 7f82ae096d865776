"""Are signatures of separable projections those of the projection, on every grid?"""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from mercuric.similarity import random_projection, signatures
from mercuric.similarity.separable import (
    grid_signatures,
    lanes,
    reference_grid_signatures,
    separable_projection,
)
from mercuric.similarity.window_grid import WindowGrid


@dataclass(frozen=True)
class Case:
    """A grid of windows, and how many zeros lie right of and below its images."""

    grid: WindowGrid
    right: int
    below: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sides = st.sampled_from([1, 2, 5, 8, 41])
    height, width = draw(sides), draw(sides)
    pairs = [draw(st.tuples(st.integers(1, 3), st.integers(1, 3))) for _ in range(3)]
    kernel, stride, dilation = pairs
    top, below, left, right = (draw(st.integers(0, 4)) for _ in range(4))
    pads = (left, right, top, below)
    grid = WindowGrid.of(draw(st.integers(1, 3)), (height, width), kernel, stride, dilation, pads)
    assume(min(grid.output) > 0)
    return Case(grid, right, below)


@settings(max_examples=150, deadline=None)
@given(
    cases(),
    st.sampled_from([1, 5, 16, 17, 64, 65, 128]),
    st.sampled_from([torch.float32, torch.float64]),
    st.sampled_from([0.5, float("nan"), float("inf"), float("-inf"), 3e38]),
    st.integers(0, 99),
)
def test_the_kernel_equals_the_definition(
    case: Case, bits: int, dtype: torch.dtype, value: float, seed: int
) -> None:
    grid, generator = case.grid, torch.Generator().manual_seed(seed)
    count = grid.output[0] * grid.height * grid.width
    pixels = torch.zeros(count, lanes(bits), dtype=dtype)
    pixels[:, :bits] = torch.randint(-2, 3, (count, bits), generator=generator).to(dtype)  # sums that are 0
    pixels[::2] *= torch.randn(1, generator=generator).to(dtype)
    pixels[seed % count, seed % bits] = value
    taps = separable_projection(1, grid.taps, bits, seed).taps
    found, finite = grid_signatures(pixels, taps, grid)
    expected, all_finite = reference_grid_signatures(pixels, taps, grid)
    assert torch.equal(found, expected)
    assert torch.equal(finite, all_finite)
    assert bool(finite.all()) or not abs(value) < 1e30
    assert found.shape == (grid.windows, 1 if bits <= 64 else 2)


GRID = WindowGrid.of(2, (5, 6), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1))


def test_pixels_may_lie_apart_in_too_few_lanes_or_be_none() -> None:
    pixels, taps = torch.randn(60, 7, dtype=torch.float64), separable_projection(1, 9, 7).taps
    expected, _ = reference_grid_signatures(pixels, taps, GRID)
    apart = pixels.repeat(1, 2).T.contiguous().T[:, :7]
    assert torch.equal(grid_signatures(apart, taps, GRID)[0], expected)
    none = WindowGrid.of(0, (5, 6), (3, 3), (1, 1), (1, 1))
    assert grid_signatures(pixels[:0], taps, none)[0].shape == (0, 1)


@pytest.mark.parametrize(
    ("pixels", "taps", "sentence"),
    [
        (torch.zeros(59, 16), 9, r"of shape \(59, 16\), but must be .* of shape \(60, at least 7\)"),
        (torch.zeros(60, 6), 9, r"of shape \(60, 6\), but must be"),
        (torch.zeros(60, 16).half(), 9, "pixels was torch.float16"),
        (torch.zeros(60, 16), 4, "taps had 4 rows, but must have 9"),
    ],
)
def test_what_is_refused(pixels: Tensor, taps: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        grid_signatures(pixels, torch.ones(taps, 7), GRID)


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(1, 4), st.sampled_from([3, 70]))
def test_windows_have_the_signatures_of_the_whole_projection(case: Case, channels: int, bits: int) -> None:
    grid = case.grid
    images = torch.randn(grid.output[0], channels, grid.height, grid.width, dtype=torch.float64)
    drawn = separable_projection(channels, grid.taps, bits)
    pixels = torch.zeros(images.numel() // channels, lanes(bits), dtype=torch.float64)
    pixels[:, :bits] = images.permute(0, 2, 3, 1).reshape(-1, channels) @ drawn.channels.double()
    padded = F.pad(images, [grid.left, case.right, grid.top, case.below])
    windows = F.unfold(padded, grid.kernel, stride=grid.stride, dilation=grid.dilation)
    expected = signatures(windows.transpose(1, 2), drawn.matrix).view(grid.windows, -1)
    assert torch.equal(grid_signatures(pixels, drawn.taps, grid)[0], expected)


def test_a_longer_signature_extends_a_shorter_one() -> None:
    short, long = separable_projection(5, 9, 20), separable_projection(5, 9, 128)
    assert torch.equal(long.channels[:, :20], short.channels)
    assert torch.equal(long.taps[:, :20], short.taps)
    assert 0.5 <= long.taps.abs().min() < long.taps.abs().max() <= 1.5
    assert 0.4 < (long.taps < 0).double().mean() < 0.6
    assert torch.equal(long.matrix[:, 7].view(5, 9), torch.outer(long.channels[:, 7], long.taps[:, 7]))
    assert not torch.equal(long.channels, separable_projection(5, 9, 128, seed=1).channels)


def test_mirrored_windows_leave_no_bit_to_rounding() -> None:
    taps = separable_projection(1, 9, 128).taps.view(3, 3, 128)
    assert (taps[:, 0] + taps[:, 2]).abs().min() > 1e-4
    assert taps.sum((0, 1)).abs().min() > 1e-3


def test_a_window_of_one_pixel_is_projected_as_it_is() -> None:
    drawn = separable_projection(5, 1, 20)
    assert torch.equal(drawn.matrix, drawn.channels)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"bits": 0}, "bits was 0, but a signature has 1 to 128 bits"),
        ({"channels": 0}, "channels and taps were 0 and 9, but an input vector has at least 1 element"),
        ({"taps": 0}, "channels and taps were 3 and 0, but"),
    ],
)
def test_what_cannot_be_drawn(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        separable_projection(**{"channels": 3, "taps": 9, "bits": 20, **options})


def rates(windows: Tensor, projection: Tensor) -> tuple[float, float]:
    """Share of windows with an earlier one of their signature, and their relative distance from it."""
    first: dict[int, int] = {}
    own = signatures(windows, projection).tolist()
    source = torch.tensor([first.setdefault(key, index) for index, key in enumerate(own)])
    hits = source != torch.arange(len(source))
    distance = (windows - windows[source])[hits].norm() / windows[hits].norm()
    return float(hits.float().mean()), float(distance)


def test_it_finds_what_a_gaussian_projection_finds_in_photographs(photographs: Tensor) -> None:
    """Mean over seeds: the hit rate within three points, hits no more than a tenth further away."""
    windows = F.unfold(photographs, 3).transpose(1, 2).flatten(0, 1)
    found = {"gaussian": [], "separable": []}  # type: dict[str, list[tuple[float, float]]]
    for seed in range(4):
        found["gaussian"].append(rates(windows, random_projection(27, 24, seed)))
        found["separable"].append(rates(windows, separable_projection(3, 9, 24, seed).matrix))
    gaussian, separable = (torch.tensor(values).mean(0) for values in found.values())
    assert abs(gaussian[0] - separable[0]) < 0.03
    assert separable[1] < 1.1 * gaussian[1]
