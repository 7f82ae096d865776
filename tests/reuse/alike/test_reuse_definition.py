"""Do the layers compute what MERCURY defines, by explicit loops and sums?"""

import math
from itertools import product
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse import ReuseConfig, ReuseConv2d, ReuseLinear
from mercuric.reuse.windows import conv_windows
from mercuric.similarity import random_projection

Vector = list[float]


def project(vector: Vector, projection: list[Vector]) -> Vector:
    totals = []
    for column in zip(*projection, strict=True):
        total = 0.0
        for element, weight in zip(vector, column, strict=True):
            total += element * weight
        totals.append(total)
    return totals


def size_class(projected: Vector, magnitude: int | None) -> tuple[int, int] | None:
    """The octave of the largest projection, and which of its equal parts."""
    if magnitude is None or not any(projected):
        return None
    mantissa, exponent = math.frexp(max(map(abs, projected)))
    return exponent, int((2 * mantissa - 1) * 2**magnitude)


class Scope:
    """One clearing of the MCACHE: hands back the values that a vector is computed from."""

    def __init__(self, config: ReuseConfig) -> None:
        self.config = config
        self.stored: dict[object, Vector] = {}
        self.in_set: dict[int, int] = {}

    def replace(self, vector: Vector) -> tuple[Vector, bool]:
        drawn = random_projection(len(vector), self.config.bits, self.config.seed)
        projected = project(vector, drawn.double().tolist())
        signature = sum((total < 0) << bit for bit, total in enumerate(projected))
        tag = signature, size_class(projected, self.config.magnitude)
        if tag in self.stored:
            return self.stored[tag], True
        if self.config.entries is None:
            self.stored[tag] = vector
            return vector, False
        index = signature % (self.config.entries // self.config.ways)
        if self.in_set.get(index, 0) < self.config.ways:
            self.in_set[index] = self.in_set.get(index, 0) + 1
            self.stored[tag] = vector
        return vector, False


def window(image: Tensor, conv: ReuseConv2d, channels: range, row: int, column: int) -> Vector:
    """The input vector of one output pixel, element by element."""
    rows, columns = (range(size) for size in conv.kernel_size)
    top, left = row * conv.stride[0], column * conv.stride[1]
    return [
        float(image[channel, top + i * conv.dilation[0], left + j * conv.dilation[1]])
        for channel in channels
        for i in rows
        for j in columns
    ]


def convolve(conv: ReuseConv2d, images: Tensor, span: int) -> tuple[Tensor, int]:
    """The output of a convolution whose vectors are windows of ``span`` channels, and its HITs."""
    padded = F.pad(images, conv._reversed_padding_repeated_twice)
    output = F.conv2d(padded, conv.weight, None, conv.stride, 0, conv.dilation, conv.groups)
    output = output.detach().zero_() + conv.bias.detach()[:, None, None]  # type: ignore[union-attr]
    group_in, group_out = conv.in_channels // conv.groups, conv.out_channels // conv.groups
    hits = 0
    for first in range(0, conv.in_channels, span):
        group, inside = divmod(first, group_in)
        filters = slice(group * group_out, (group + 1) * group_out)
        weights = conv.weight.detach()[filters, inside : inside + span].flatten(1)
        scope = Scope(conv.reuse.config)
        for image, row, column in product(*(range(output.shape[axis]) for axis in (0, 2, 3))):
            if conv.reuse.config.scope == "image" and row == column == 0:
                scope = Scope(conv.reuse.config)
            values, hit = scope.replace(window(padded[image], conv, range(first, first + span), row, column))
            hits += hit
            output[image, filters, row, column] += (weights * torch.tensor(values, dtype=torch.float64)).sum(
                1
            )
    return output, hits


CACHES: list[dict[str, Any]] = [{"entries": None}, {"entries": 12, "ways": 4}, {"entries": 6, "ways": 1}]


@pytest.mark.parametrize("magnitude", [None, 0, 2])
@pytest.mark.parametrize("cache", CACHES, ids=str)
@pytest.mark.parametrize("scope", ["image", "batch"])
@pytest.mark.parametrize(("granularity", "span"), [("channel", 1), (2, 2), ("patch", 4), (9, 4)])
def test_convolutions(
    cache: dict[str, Any], scope: Any, granularity: Any, span: int, magnitude: int | None, photographs: Tensor
) -> None:
    config = ReuseConfig(bits=6, magnitude=magnitude, granularity=granularity, scope=scope, seed=3, **cache)
    conv = ReuseConv2d(4, 3, 3, stride=2, padding=1, reuse=config).double()
    images = torch.cat([photographs[:2], photographs[1:3, :1]], dim=1)[:, :, 4:13, 5:18].double()
    expected, hits = convolve(conv, images, span)
    torch.testing.assert_close(conv(images), expected)
    assert conv.reuse.counts.hit == hits > 0
    assert (conv.reuse.counts.mnu > 0) == (cache["entries"] is not None)


def test_vectors_of_other_sizes_are_not_alike() -> None:
    """Signs know directions: 1, 1.2, 2 and 100 times a vector are alike, until sizes are compared."""
    vector = torch.tensor([0.3, -0.2, 0.5])
    multiples = vector * torch.tensor([1.0, 1.2, 2.0, 100.0, 0.0])[:, None]
    scale = float(1.1 / (vector @ random_projection(3, 20)).abs().max())
    hits = {}
    for magnitude in (None, 0, 3):
        linear = ReuseLinear(3, 1, reuse=ReuseConfig(magnitude=magnitude))
        linear(multiples * scale)  # the largest projections are 1.1, 1.32, 2.2, 110 and 0
        hits[magnitude] = linear.reuse.counts.hit
    assert hits == {None: 3, 0: 1, 3: 0}


@pytest.mark.parametrize("scope", ["image", "batch"])
@pytest.mark.parametrize(
    ("options", "granularity", "span"),
    [
        ({"groups": 2, "dilation": 2}, "patch", 2),
        ({"groups": 2}, "channel", 1),
        ({"groups": 4, "out_channels": 8}, "patch", 1),
        ({"kernel_size": 1, "groups": 2}, "channel", 2),
        ({"kernel_size": 1}, 2, 4),
        ({"kernel_size": (1, 3), "padding": (0, 1)}, 2, 2),
    ],
    ids=str,
)
def test_groups_and_kernels(
    scope: Any, options: dict[str, Any], granularity: Any, span: int, photographs: Tensor
) -> None:
    config = ReuseConfig(bits=5, granularity=granularity, scope=scope)
    shape = {"in_channels": 4, "out_channels": 2, "kernel_size": 3, **options}
    conv = ReuseConv2d(**shape, reuse=config).double()
    images = photographs[:3, [0, 1, 2, 0], 9:17, 2:11].double()
    expected, hits = convolve(conv, images, span)
    torch.testing.assert_close(conv(images), expected)
    assert conv.reuse.counts.hit == hits > 0


@pytest.mark.parametrize("cache", CACHES, ids=str)
@pytest.mark.parametrize(
    ("shape", "scope", "scopes"),
    [
        ((40, 8), "image", 1),
        ((40, 8), "batch", 1),
        ((4, 10, 8), "image", 4),
        ((4, 10, 8), "batch", 1),
        ((2, 4, 5, 8), "image", 2),
    ],
)
def test_fully_connected_layers(
    cache: dict[str, Any], shape: tuple[int, ...], scope: Any, scopes: int, photographs: Tensor
) -> None:
    linear = ReuseLinear(8, 5, reuse=ReuseConfig(bits=4, scope=scope, **cache)).double()
    inputs = photographs[0].double().flatten()[: 40 * 8].reshape(shape)
    replaced, hits = [], 0
    for part in inputs.reshape(scopes, -1, 8).tolist():
        cleared = Scope(linear.reuse.config)
        for vector in part:
            values, hit = cleared.replace(vector)
            replaced.append(values)
            hits += hit
    expected = torch.tensor(replaced, dtype=torch.float64) @ linear.weight.T + linear.bias
    torch.testing.assert_close(linear(inputs), expected.view(*shape[:-1], 5))
    assert linear.reuse.counts.hit == hits > 0


def test_addresses_of_windows_are_those_of_unfold() -> None:
    images = torch.arange(2 * 3 * 9 * 41.0).view(2, 3, 9, 41)
    conv = torch.nn.Conv2d(3, 1, (2, 3), stride=(2, 3), dilation=(3, 2))
    windows = conv_windows(images, conv)
    unfolded = F.unfold(images, (2, 3), stride=(2, 3), dilation=(3, 2)).permute(1, 0, 2).reshape(18, -1)
    assert torch.equal(images.flatten()[windows.addresses()].view(18, -1), unfolded)
    assert (windows.length, windows.output) == (18, (2, 3, 13))


@pytest.mark.parametrize("granularity", ["channel", "patch"])
def test_without_similarity_the_output_is_the_dense_one(granularity: Any) -> None:
    inputs = torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    for config in (
        ReuseConfig(bits=128, granularity=granularity),
        ReuseConfig(bits=128, granularity=granularity, entries=1, ways=1),
    ):
        conv = ReuseConv2d(3, 5, 3, padding=1, reuse=config)
        linear = ReuseLinear(12, 5, reuse=config)
        torch.testing.assert_close(conv(inputs), F.conv2d(inputs, conv.weight, conv.bias, padding=1))
        torch.testing.assert_close(linear(inputs), F.linear(inputs, linear.weight, linear.bias))
        assert conv.reuse.counts.hit == linear.reuse.counts.hit == 0


def test_equal_images_in_one_scope_are_computed_once(photographs: Tensor) -> None:
    batch = photographs[:1].repeat(4, 1, 1, 1)
    shared = ReuseConv2d(3, 5, 3, reuse=ReuseConfig(scope="batch", entries=None))
    output = shared(batch)
    alone = ReuseConv2d(3, 5, 3, reuse=ReuseConfig(entries=None))
    alone(photographs[:1])
    vectors = 3 * 30 * 30
    assert shared.reuse.counts.hit == alone.reuse.counts.hit + 3 * vectors
    assert shared.reuse.counts.mau == alone.reuse.counts.mau
    assert all(torch.equal(image, output[0]) for image in output)


def test_images_in_scopes_of_their_own_share_nothing(photographs: Tensor) -> None:
    conv = ReuseConv2d(3, 5, 3, reuse=ReuseConfig(scope="image"))
    conv(photographs[:1])
    hits = conv.reuse.counts.hit
    conv(photographs[:1].repeat(4, 1, 1, 1))
    assert conv.reuse.counts.hit == 5 * hits


def test_the_seed_draws_the_projection(photographs: Tensor) -> None:
    hits = []
    for seed in (0, 0, 1):
        conv = ReuseConv2d(3, 1, 3, reuse=ReuseConfig(seed=seed))
        conv(photographs)
        hits.append(conv.reuse.counts.hit)
    assert hits[0] == hits[1] != hits[2]
