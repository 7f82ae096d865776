"""Normalisation by classes is PyTorch's on the plain map: numbers, gradients, statistics, refusals."""

import copy

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_maps import Map, close, hold, maps
from torch import Tensor, nn

from mercuric.reuse.equal.expansion import dense
from mercuric.reuse.equal.shared_tensor import SharedTensor

EPS = st.sampled_from([1e-3, 0.1])


def parameter(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


@given(maps(), st.booleans(), st.booleans(), EPS)
@settings(max_examples=60)
def test_batch_norm_weighs_classes_by_their_positions(
    image: Map, affine: bool, biased: bool, eps: float
) -> None:
    if image.classes.positions == 1:
        return
    width = image.rows.shape[1]
    weight = parameter(width) if affine else None
    bias = parameter(width) if affine and biased else None
    given_parameters = tuple(value for value in (weight, bias) if value is not None)
    hold(
        lambda x: F.batch_norm(x, None, None, weight, bias, True, 0.1, eps),
        image,
        parameters=given_parameters,
        tolerance=1e-11,
    )
    mean, variance = parameter(width).detach(), parameter(width).detach().square()
    hold(
        lambda x: F.batch_norm(x, mean, variance, weight, bias, False, 0.1, eps),
        image,
        parameters=given_parameters,
    )


@given(maps(), st.sampled_from([0.1, 1.0, None]), st.booleans())
@settings(max_examples=40)
def test_running_statistics_are_pytorchs(image: Map, momentum: float | None, tracked: bool) -> None:
    if image.classes.positions == 1:
        return
    module = nn.BatchNorm2d(
        image.rows.shape[1], momentum=momentum, track_running_stats=tracked, dtype=torch.float64
    )
    plain = copy.deepcopy(module)
    for _ in range(3):
        close(dense(module(image.shared()), "a test"), plain(image.plain()), 1e-11)
    for name, value in module.state_dict().items():
        close(value, plain.state_dict()[name])
    module.eval(), plain.eval()
    close(dense(module(image.shared()), "a test"), plain(image.plain()), 1e-11)
    assert not image.record.expanded["torch.nn.functional.batch_norm"]


def test_batch_norm_of_rows_and_of_sequences() -> None:
    rows = parameter(3, 4).detach()
    for shape in ((6,), (2, 5)):
        image = Map(rows, torch.arange(10)[: torch.Size(shape).numel()].view(shape).int() % 3)
        hold(lambda x: F.batch_norm(x, None, None, None, None, True), image, tolerance=1e-11)


def test_one_value_a_channel_is_refused_as_pytorch_does() -> None:
    image = Map(parameter(1, 4).detach(), torch.zeros(1, 1, 1, dtype=torch.int32))
    for function in (
        lambda x: F.batch_norm(x, None, None, None, None, True),
        F.instance_norm,
        lambda x: F.group_norm(x, 4),
    ):
        with pytest.raises(ValueError, match="Expected more than 1") as plain:
            function(image.plain())
        with pytest.raises(ValueError, match="Expected more than 1") as shared:
            function(image.shared())
        assert str(shared.value) == str(plain.value)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_statistics_of_half_precision_are_float32(dtype: torch.dtype) -> None:
    rows = (torch.randn(5, 8, generator=torch.Generator().manual_seed(0)) + 40).to(dtype)
    image = Map(rows, torch.arange(2 * 9 * 9).view(2, 9, 9).int() % 5)
    exact = F.batch_norm(image.plain().double(), None, None, None, None, True)
    for parameters in (dtype, torch.float32):
        module = nn.BatchNorm2d(8, dtype=parameters)
        plain = copy.deepcopy(module)
        image.record.expanded.clear()
        shared, expected = module(image.shared()), plain(image.plain())
        assert shared.dtype == expected.dtype == dtype
        assert not image.record.expanded
        error, theirs = ((each.double() - exact).abs().max() for each in (dense(shared, ""), expected))
        assert error <= theirs + 1e-6
        for name in ("running_mean", "running_var"):
            assert getattr(module, name).dtype == parameters
            torch.testing.assert_close(getattr(module, name), getattr(plain, name), rtol=1e-2, atol=1e-2)


def test_autocast_normalises_what_it_is_given() -> None:
    image = Map(
        torch.randn(5, 8, generator=torch.Generator().manual_seed(0)),
        torch.arange(18).view(2, 3, 3).int() % 5,
    )
    module = nn.Sequential(nn.BatchNorm2d(8), nn.GroupNorm(2, 8))
    with torch.autocast("cpu", torch.bfloat16):
        shared, plain = module(image.shared().bfloat16()), module(image.plain().bfloat16())
    assert shared.dtype == plain.dtype
    torch.testing.assert_close(dense(shared, "a test"), plain, rtol=2e-2, atol=2e-2)


@given(maps(channels=4), st.sampled_from([1, 2, 4]), st.booleans(), EPS)
@settings(max_examples=60)
def test_group_norm_tells_images_apart(image: Map, groups: int, affine: bool, eps: float) -> None:
    if image.classes.ids[0].numel() * 4 // groups == 1:
        return
    weight, bias = (parameter(4), parameter(4)) if affine else (None, None)
    hold(
        lambda x: F.group_norm(x, groups, weight, bias, eps),
        image,
        parameters=() if weight is None or bias is None else (weight, bias),
        tolerance=1e-11,
    )


@given(maps(), st.booleans(), EPS)
@settings(max_examples=40)
def test_instance_norm_tells_images_apart(image: Map, affine: bool, eps: float) -> None:
    width = image.rows.shape[1]
    weight, bias = (parameter(width), parameter(width)) if affine else (None, None)
    own = () if weight is None or bias is None else (weight, bias)
    mean, variance = parameter(width).detach(), parameter(width).detach().square()
    hold(lambda x: F.instance_norm(x, mean, variance, weight, bias, False, 0.1, eps), image, parameters=own)
    if image.classes.ids[0].numel() == 1:
        return
    hold(
        lambda x: F.instance_norm(x, None, None, weight, bias, True, 0.1, eps),
        image,
        parameters=own,
        tolerance=1e-11,
    )


def test_instance_norm_that_follows_statistics_is_dense() -> None:
    image = Map(parameter(3, 4).detach(), torch.arange(18).view(2, 3, 3).int() % 3)
    module = nn.InstanceNorm2d(4, track_running_stats=True, dtype=torch.float64)
    plain = copy.deepcopy(module)
    close(dense(module(image.shared()), "a test"), plain(image.plain()))
    close(module.running_var, plain.running_var)


def test_images_told_apart_once_are_not_told_apart_again() -> None:
    image = Map(parameter(3, 4).detach(), torch.arange(18).view(2, 3, 3).int() % 3)
    once = F.group_norm(image.shared(), 2)
    assert isinstance(once, SharedTensor)
    again = F.instance_norm(once * torch.ones(2, 4, 1, 1).double())
    assert again._classes is once._classes


@given(maps(channel=3, shape=(2, 3, 4)), st.booleans())
@settings(max_examples=30)
def test_the_last_dimension_is_a_row_of_its_own(image: Map, affine: bool) -> None:
    width = image.rows.shape[1]
    weight, bias = (parameter(width), parameter(width)) if affine else (None, None)
    own = () if weight is None or bias is None else (weight, bias)
    hold(lambda x: F.layer_norm(x, (width,), weight, bias, 1e-2), image, parameters=own)
    hold(lambda x: F.rms_norm(x, [width], weight, 1e-2), image, parameters=own[:1])
    hold(lambda x: F.layer_norm(x, (4, width)), image, expands=True, tolerance=1e-11)


@given(maps(palette=(0.25, -0.5, 1.0, 3.5)), st.integers(1, 5))
@settings(max_examples=30)
def test_responses_are_normalised_across_channels(image: Map, size: int) -> None:
    hold(lambda x: F.local_response_norm(x, size, 1e-2, 0.75, 2.0), image)


@given(maps(), st.booleans())
@settings(max_examples=30)
def test_slopes_of_prelu(image: Map, one: bool) -> None:
    slopes = parameter(1 if one else image.rows.shape[1])
    hold(lambda x: F.prelu(x, slopes), image, parameters=(slopes,))


def test_second_derivatives() -> None:
    image = Map(parameter(3, 4).detach(), torch.arange(18).view(2, 3, 3).int() % 3)
    weight, bias = parameter(4), parameter(4)
    for function in (
        lambda x: F.batch_norm(x, None, None, weight, bias, True, 0.1, 0.1),
        lambda x: F.group_norm(x, 2, weight, bias, 0.1),
        lambda x: F.instance_norm(x, None, None, weight, bias, eps=0.1),
    ):

        def plain(rows: Tensor, *_: Tensor, function=function) -> Tensor:  # type: ignore[no-untyped-def]
            return dense(function(image.shared(rows)), "a test")

        assert torch.autograd.gradcheck(plain, (image.rows, weight, bias))
        assert torch.autograd.gradgradcheck(plain, (image.rows, weight, bias))
