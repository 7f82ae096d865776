"""Pools by classes are PyTorch's on the plain map, with all their options."""

import re
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shared_maps import Map, hold, maps
from torch import Tensor

from mercuric.reuse.equal.expansion import dense
from mercuric.reuse.equal.shared_tensor import SharedTensor

SIDES = st.sampled_from([(1, 1), (2, 3), (5, 4), (1, 41), (7, 7), (6, 8)])


@st.composite
def pools(draw: st.DrawFn, dimensions: int) -> tuple[Map, dict[str, object]]:
    sides = draw(SIDES)[-dimensions:]
    image = draw(maps(shape=(draw(st.integers(1, 2)), *sides)))
    kernel = [draw(st.integers(1, 4)) for _ in sides]
    padding = [draw(st.integers(0, size // 2)) for size in kernel]
    assume(all(side + 2 * pad >= size for side, size, pad in zip(sides, kernel, padding, strict=True)))
    options: dict[str, object] = {"kernel_size": kernel, "padding": padding}
    if draw(st.booleans()):
        options["stride"] = [draw(st.integers(1, 5)) for _ in sides]
    if len(set(kernel)) == 1 and draw(st.booleans()):
        options["kernel_size"] = kernel[0]
    if len(set(padding)) == 1 and draw(st.booleans()):
        options["padding"] = padding[0]
    return image, {**options, "ceil_mode": draw(st.booleans())}


@given(pools(2), st.integers(1, 2))
@settings(max_examples=150)
def test_largest_of_windows(drawn: tuple[Map, dict[str, object]], dilation: int) -> None:
    image, options = drawn
    options = {**options, "dilation": dilation}
    try:
        _, places = F.max_pool2d(image.plain(), return_indices=True, **options)  # type: ignore[arg-type]
    except RuntimeError as error:
        with pytest.raises(RuntimeError, match=re.escape(str(error)[:20])):
            F.max_pool2d(image.shared(), **options)  # type: ignore[arg-type]
        return
    # PyTorch's gradient writes outside of the image where a dilated window begins in its padding.
    assume(not places.numel() or int(places.max()) < image.plain()[0, 0].numel())
    hold(lambda x: F.max_pool2d(x, **options), image, expands=dilation > 1)  # type: ignore[arg-type]


@given(pools(2), st.booleans(), st.sampled_from([None, None, 1, 3]))
@settings(max_examples=150)
def test_averages_of_windows(
    drawn: tuple[Map, dict[str, object]], padding_counts: bool, divisor: int | None
) -> None:
    image, options = drawn
    options = {**options, "count_include_pad": padding_counts, "divisor_override": divisor}
    hold(lambda x: F.avg_pool2d(x, **options), image)  # type: ignore[arg-type]


@given(pools(1), st.booleans())
@settings(max_examples=60)
def test_pools_of_sequences(drawn: tuple[Map, dict[str, object]], padding_counts: bool) -> None:
    image, options = drawn
    hold(lambda x: F.max_pool1d(x, **options), image)  # type: ignore[arg-type]
    hold(lambda x: F.avg_pool1d(x, count_include_pad=padding_counts, **options), image)  # type: ignore[arg-type]


@given(maps(), st.sampled_from([1, 2, 3, 7, (1, None), (2, 1), (None, 1), (4, 5)]))
@settings(max_examples=150)
def test_adaptive_pools(image: Map, size: int | tuple[int | None, int | None]) -> None:
    hold(lambda x: F.adaptive_avg_pool2d(x, size), image)  # type: ignore[arg-type]
    hold(lambda x: F.adaptive_max_pool2d(x, size), image)  # type: ignore[arg-type]


@given(maps(shape=(2, 12)), st.sampled_from([1, 3, 5, 12, 14]))
@settings(max_examples=30)
def test_adaptive_pools_of_sequences(image: Map, size: int) -> None:
    hold(lambda x: F.adaptive_avg_pool1d(x, size), image)
    hold(lambda x: F.adaptive_max_pool1d(x, size), image)


def checkers(channels: int = 2) -> Map:
    rows = torch.randn(3, channels, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return Map(rows, torch.arange(2 * 4 * 6).view(2, 4, 6).int() % 3)


def test_indices_and_unknown_pools_are_dense() -> None:
    for function in (
        lambda x: F.max_pool2d(x, 2, return_indices=True)[0],
        lambda x: F.adaptive_max_pool2d(x, 2, return_indices=True)[0],
        lambda x: F.lp_pool2d(x, 2.0, 2),
    ):
        hold(function, checkers(), expands=True)


def test_a_map_of_its_own_size_is_not_the_same_tensor() -> None:
    shared = checkers().shared()
    pooled = F.adaptive_avg_pool2d(shared, (4, 6))
    pooled.zero_()
    assert float(dense(shared, "a test").detach().abs().sum()) > 0


def test_not_a_number_is_largest_and_infinity_stays() -> None:
    numbers = torch.tensor(
        [[float("nan"), 1.0], [1.0, float("inf")], [-float("inf"), -float("inf")]]
    ).double()
    for ids in (torch.arange(24).view(2, 3, 4) % 3, torch.full((2, 3, 4), 2)):
        image = Map(numbers, ids.int())
        hold(lambda x: F.max_pool2d(x, 3, 1, 1), image)
        hold(lambda x: F.avg_pool2d(x, 2), image)
        hold(lambda x: F.adaptive_max_pool2d(x, 1), image, expands=True)
        hold(lambda x: F.adaptive_avg_pool2d(x, 1), image)


def test_averages_of_half_precision_do_not_overflow() -> None:
    image = Map(torch.tensor([[60000.0], [30000.0]]).half(), torch.arange(64).view(1, 8, 8).int() % 2)
    for function in (
        lambda x: F.avg_pool2d(x, 8),
        lambda x: F.adaptive_avg_pool2d(x, 1),
        lambda x: x.mean((2, 3)),
    ):
        result = function(image.shared())
        assert result.dtype == torch.float16
        torch.testing.assert_close(dense(result, "a test").flatten(), torch.tensor([45000.0]).half())


def test_second_derivatives() -> None:
    image = checkers()
    for function in (
        lambda x: F.max_pool2d(x, 3, 2, 1),
        lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True),
        lambda x: F.adaptive_avg_pool2d(x, 1),
        lambda x: F.adaptive_max_pool2d(x, (3, 1)),
    ):

        def plain(rows: Tensor, function=function) -> Tensor:  # type: ignore[no-untyped-def]
            return dense(function(image.shared(rows)), "a test")

        assert torch.autograd.gradcheck(plain, image.rows)
        assert torch.autograd.gradgradcheck(plain, image.rows)


def test_windows_stay_shared() -> None:
    assert isinstance(F.max_pool2d(checkers().shared(), 2), SharedTensor)
    assert isinstance(F.avg_pool2d(checkers().shared(), 2), SharedTensor)


@pytest.mark.parametrize("pool", [F.max_pool2d, F.avg_pool2d])
@pytest.mark.parametrize("side", [2, 4])
def test_last_window_that_is_larger_than_the_map(pool: Callable[..., Tensor], side: int) -> None:
    image = Map(torch.randn(2, 3, dtype=torch.float64), torch.tensor([[[0, 1] * 2] * 4] * 2)[:, :side, :side])
    hold(lambda x: pool(x, 3, 2, ceil_mode=True), image)


@pytest.mark.parametrize(
    "pool",
    [
        lambda x: F.max_pool2d(x, 3, 2, 1),
        lambda x: F.adaptive_max_pool2d(x, (4, 3)),
        lambda x: F.adaptive_max_pool2d(x, 1),
    ],
    ids=["windows", "parts", "whole"],
)
def test_of_several_nan_the_one_of_pytorch_has_the_gradient(
    pool: Callable[[Tensor], Tensor],
) -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(12, 6, generator=generator, dtype=torch.float64)
    rows[torch.rand(12, 6, generator=generator) < 0.4] = torch.nan
    image = Map(rows, torch.randint(12, (2, 9, 8), generator=generator, dtype=torch.int32))
    plain = image.plain().detach().requires_grad_()
    found, expected = dense(pool(image.shared()), "a test"), pool(plain)
    weights = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    (of_rows,) = torch.autograd.grad(found, image.rows, weights)
    (of_places,) = torch.autograd.grad(expected, plain, weights)
    summed = torch.zeros_like(of_rows).index_add(
        0, image.classes.ids.flatten().long(), of_places.movedim(1, -1).reshape(-1, 6)
    )
    torch.testing.assert_close(of_rows, summed)
