"""Reductions over positions or channels are PyTorch's on the plain map."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_maps import Map, hold, maps
from torch import Tensor

from mercuric.reuse.equal.expansion import dense
from mercuric.reuse.equal.shared_tensor import SharedTensor


@given(maps(), st.booleans(), st.sampled_from([(2, 3), [3, 2], (-1, -2)]))
@settings(max_examples=60)
def test_over_all_positions_of_an_image(image: Map, keep: bool, dims: tuple[int, ...] | list[int]) -> None:
    for name in ("mean", "sum", "amax", "norm"):
        hold(lambda x, name=name: getattr(torch, name)(x, dim=dims, keepdim=keep), image)
        hold(lambda x, name=name: getattr(x, name)(dim=dims, keepdim=keep), image)


@given(maps(channel=3, shape=(2, 3, 5)), maps(channel=2, shape=(3, 4)), st.booleans())
@settings(max_examples=30)
def test_over_positions_before_the_channels(image: Map, sequence: Map, keep: bool) -> None:
    for name in ("mean", "sum", "amax", "norm"):
        hold(lambda x, name=name: getattr(x, name)(dim=(1, 2), keepdim=keep), image)
        hold(lambda x, name=name: getattr(x, name)(dim=1, keepdim=keep), sequence)


@given(maps(palette=(0.25, -0.5, 1.0, 3.5), channels=4), st.booleans())
@settings(max_examples=40)
def test_over_channels(image: Map, keep: bool) -> None:
    for name in ("mean", "sum", "amax", "amin", "logsumexp"):
        hold(lambda x, name=name: getattr(torch, name)(x, 1, keepdim=keep), image)
        hold(lambda x, name=name: getattr(x, name)(dim=-3, keepdim=keep), image)
    hold(lambda x: x.argmax(1, keepdim=keep), image)


def flags() -> Map:
    rows = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return Map(rows, torch.arange(2 * 3 * 5).view(2, 3, 5).int() % 3)


def test_spread_over_channels() -> None:
    for keep in (False, True):
        hold(lambda x, keep=keep: x.var(1, keepdim=keep, unbiased=False), flags())
        hold(lambda x, keep=keep: torch.std(x, dim=1, correction=1, keepdim=keep), flags())
        hold(lambda x, keep=keep: torch.norm(x, dim=1, keepdim=keep, p=1), flags())
        hold(lambda x, keep=keep: x.norm(3, dim=1, keepdim=keep), flags(), expands=True)


def test_normalisation_by_hand() -> None:
    """As LayerNorm2d is written where nothing is permuted."""
    weight = torch.randn(4, dtype=torch.float64, requires_grad=True)

    def by_hand(x: Tensor) -> Tensor:
        mean = x.mean(1, keepdim=True)
        spread = (x - mean).pow(2).mean(1, keepdim=True)
        return weight[:, None, None] * ((x - mean) / torch.sqrt(spread + 1e-2))

    assert isinstance(hold(by_hand, flags(), parameters=(weight,)), SharedTensor)


def test_other_dimensions_and_options_are_dense() -> None:
    for function in (
        lambda x: x.mean(2),
        lambda x: x.mean(),
        lambda x: x.sum((0, 2, 3)),
        lambda x: x.mean((2, 3), dtype=torch.float32),
        lambda x: x.mean(1, True),
        lambda x: x.norm(1, dim=(2, 3)),
        lambda x: x.amin((2, 3)),
        lambda x: torch.sum(x, (1, 2, 3)),
        lambda x: x.var((2, 3)),
        lambda x: x.max(1)[0],
    ):
        hold(function, flags(), expands=True)
    with pytest.raises(IndexError):
        flags().shared().mean((2, 4))
    with pytest.raises(RuntimeError):
        flags().shared().mean((2, 2, 3))


@given(maps(channels=4))
@settings(max_examples=30)
def test_functions_along_channels(image: Map) -> None:
    hold(lambda x: x.softmax(1), image)
    hold(lambda x: F.log_softmax(x, dim=-3), image)
    hold(lambda x: torch.softmax(x, dim=1), image)
    hold(lambda x: F.softmin(x, dim=1), image)
    hold(lambda x: F.glu(x, dim=1), image)
    hold(lambda x: F.normalize(x + 8), image)
    hold(lambda x: F.normalize(x + 8, 3.0, dim=-3), image)


def test_functions_along_positions_are_dense() -> None:
    for function in (
        lambda x: x.softmax(2),
        lambda x: F.glu(x[..., :4]),
        lambda x: F.normalize(x, dim=2),
        lambda x: x.softmax(1, torch.float32).double(),
    ):
        hold(function, flags(), expands=True)


def test_not_a_number() -> None:
    numbers = torch.tensor([[float("nan"), 1.0], [1.0, float("inf")], [2.0, -float("inf")]]).double()
    image = Map(numbers, torch.arange(24).view(2, 3, 4).int() % 3)
    for name in ("mean", "sum", "amax", "norm"):
        hold(lambda x, name=name: getattr(x, name)(dim=(2, 3)), image)


def test_second_derivatives() -> None:
    image = flags()
    for function in (
        lambda x: x.mean((2, 3)),
        lambda x: x.amax((2, 3)),
        lambda x: x.norm(dim=(2, 3)),
        lambda x: x.var(1, keepdim=True),
    ):

        def plain(rows: Tensor, function=function) -> Tensor:  # type: ignore[no-untyped-def]
            return dense(function(image.shared(rows)), "a test")

        assert torch.autograd.gradcheck(plain, image.rows)
        assert torch.autograd.gradgradcheck(plain, image.rows)
