"""Joined maps are PyTorch's."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_maps import Map, hold, maps
from torch import Tensor

from mercuric.reuse.equal.shared_tensor import SharedTensor

JOINS = st.sampled_from([torch.cat, torch.concat, torch.concatenate])
SHAPE = (2, 3, 5)


@given(maps(shape=SHAPE), maps(shape=SHAPE), maps(shape=SHAPE), JOINS, st.sampled_from([1, -3]))
@settings(max_examples=50)
def test_channels_beside_channels(one: Map, two: Map, three: Map, join: object, dim: int) -> None:
    joined = hold(lambda x, y, z: join([x, y, z, x.relu()], dim), one, two, three)  # type: ignore[operator]
    assert isinstance(joined, SharedTensor)


@given(maps(channels=2, shape=SHAPE), maps(channels=2, shape=SHAPE), st.sampled_from([0, 2, 3, -4, -1]))
@settings(max_examples=40)
def test_positions_beside_positions(one: Map, two: Map, dim: int) -> None:
    assert isinstance(hold(lambda x, y: torch.cat((x, y, x), dim=dim), one, two), SharedTensor)


@given(maps(channels=2, shape=SHAPE), maps(channels=2, shape=SHAPE), st.integers(-5, 4))
@settings(max_examples=40)
def test_stacks(one: Map, two: Map, dim: int) -> None:
    assert isinstance(hold(lambda x, y: torch.stack((x, y, x), dim), one, two), SharedTensor)


def test_stacks_that_pytorch_refuses() -> None:
    for dim in (-6, 5):
        with pytest.raises(IndexError):
            torch.stack([stripes().shared()], dim)


@given(maps(channel=3, shape=SHAPE), maps(channel=3, shape=SHAPE))
@settings(max_examples=20)
def test_channels_may_be_last(one: Map, two: Map) -> None:
    hold(lambda x, y: torch.cat((x, y), -1), one, two)
    hold(lambda x: torch.cat((x, x), 1), one)


def stripes(channel: int = 1, shape: tuple[int, ...] = SHAPE) -> Map:
    rows = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return Map(rows, torch.arange(torch.Size(shape).numel()).view(shape).int() % 3, channel)


def test_classes_that_tell_all_others_are_kept() -> None:
    x = stripes().shared()
    joined = torch.cat([x, x.sigmoid(), x + 1], 1)
    assert isinstance(joined, SharedTensor)
    assert joined._classes is x._classes


def test_what_is_not_alike_is_dense() -> None:
    plain = torch.randn(2, 4, 3, 5, dtype=torch.float64, requires_grad=True)
    hold(lambda x: torch.cat([x, plain], 1), stripes(), parameters=(plain,), expands=True)
    hold(lambda x: torch.cat([plain, x], 1), stripes(), parameters=(plain,), expands=True)
    hold(
        lambda x, y: torch.cat([x, y], 0),
        stripes(),
        stripes(3, (2, 4, 3)).__class__(
            stripes().rows.detach()[:, :5].repeat(1, 2)[:, :5], torch.arange(24).view(2, 4, 3).int() % 3, 3
        ),
        expands=True,
    )


def test_wrong_joins_are_refused_as_pytorch_does() -> None:
    x, other = stripes().shared(), stripes(shape=(2, 3, 4)).shared()
    for tensors, dim in (([x, other], 1), ([x, x], 4)):
        with pytest.raises((RuntimeError, IndexError)):
            torch.cat(tensors, dim)


def test_second_derivatives() -> None:
    from mercuric.reuse.equal.expansion import dense

    image = stripes()

    def joined(rows: Tensor) -> Tensor:
        x = image.shared(rows)
        return dense(torch.cat([x.square(), torch.cat([x, x], 2)[:, :, :3].sin()], 1), "a test")

    assert torch.autograd.gradcheck(joined, image.rows)
    assert torch.autograd.gradgradcheck(joined, image.rows)
